"""Teaching a sound in a browser: takes, what is wrong with them, learning, trying, using, forgetting."""

from __future__ import annotations

import os
from array import array

import pytest

from detector.web.desk.take_sound import MOST_BYTES
from tests.support.browser_views import faults_at_each_width
from tests.support.page_desks import RecordedFeeds, parts_with_desk
from tests.support.scripted_train import RATE, ScriptedTrain, sound, wav

NOTHING = {"GET sources": {"sources": []}, "GET status": {"connected": True, "state": "listening"}}
HOSTILE = "<img src=x onerror=alert(1)>"
LIVE = sound(4.0)


@pytest.fixture
def teach(serve, tmp_path, visit):
    """Opens the page on a desk whose training is a small program; `mode` and `samples` as in its tests."""
    (tmp_path / "config.yaml").write_text("model: {name: esc10}\n")

    def opened(step="", mode="works", samples=LIVE, answers=None):
        commands = ScriptedTrain(tmp_path, mode)
        feeds = RecordedFeeds(samples, RATE)
        parts = parts_with_desk(tmp_path, commands=commands, feeds=feeds)
        return visit(f"{serve(parts)}/#/teach{step}", answers={**NOTHING, **(answers or {})}), commands

    return opened


def keep_takes(tmp_path, name, count):
    """Takes as they lie in the folder once they were kept."""
    folder = tmp_path / "data" / "sounds" / name
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{name}-2026080{number + 1}T120000Z-01.wav").write_bytes(wav(sound(3.0)))


def test_a_sound_is_recorded_and_kept_with_its_picture(teach, tmp_path):
    tab, _ = teach()
    tab.get_by_label("Name of the sound").fill("Bell")
    tab.keyboard.press("Enter")
    tab.get_by_role("heading", name="Record “Bell”").wait_for()
    assert tab.get_by_role("button", name="Next").is_disabled()
    tab.get_by_role("button", name="Record", exact=True).click()
    tab.get_by_text("3 …").wait_for()
    tab.get_by_text("1 of about 10 recordings").wait_for()
    row = tab.get_by_role("list", name="Recordings").get_by_role("listitem")
    row.get_by_text("3 s · good").wait_for()
    assert len([*(tmp_path / "data" / "sounds" / "Bell").iterdir()]) == 1
    row.get_by_role("button", name="Throw away").click()
    tab.get_by_text("0 of about 10 recordings").wait_for()
    assert not (tmp_path / "data" / "sounds" / "Bell").exists()


def test_a_take_with_a_fault_says_what_to_do_and_waits_for_a_word(teach, tmp_path):
    tab, _ = teach("?step=record&sound=Bell", samples=array("h", [32767, -32768] * 16000))
    tab.get_by_role("button", name="Record", exact=True).click()
    tab.get_by_role("button", name="Keep all the same").click()
    tab.get_by_text("1 of about 10 recordings").wait_for()
    assert len([*(tmp_path / "data" / "sounds" / "Bell").iterdir()]) == 1


def test_recordings_of_files_are_taken_too(teach, tmp_path):
    path = tmp_path / "from my phone.wav"
    path.write_bytes(wav(sound(2.0)))
    tab, _ = teach("?step=record&sound=Bell")
    tab.get_by_label("Add recordings").set_input_files(path)
    tab.get_by_text("One recording was added.").wait_for()
    tab.get_by_text("1 of about 10 recordings").wait_for()


def test_a_file_that_is_too_large_is_not_sent_and_that_is_said(teach, tmp_path):
    path = tmp_path / "long.wav"
    path.write_bytes(b"")
    os.truncate(path, MOST_BYTES + 1)
    tab, _ = teach("?step=record&sound=Bell")
    tab.get_by_label("Add recordings").set_input_files(path)
    tab.get_by_text(f"long.wav is too large: at most {MOST_BYTES // 1_000_000} MB").wait_for()


def test_what_was_learned_is_told_tried_used_and_taken_away(teach, tmp_path):
    keep_takes(tmp_path, "Bell", 2)
    keep_takes(tmp_path, "background", 2)
    tab, commands = teach("?step=learn")
    commands.heard = [("Bell", 0.91)]
    tab.get_by_role("button", name="Start").click()
    tab.get_by_role("heading", name="How well it does").wait_for()
    tab.get_by_text("found").first.wait_for()
    tab.get_by_role("button", name="Use it").click()
    tab.get_by_role("button", name="Stop using it").click()
    tab.get_by_role("button", name="Stop using it").wait_for(state="hidden")


def test_learning_can_be_stopped_and_a_failure_is_said(teach, tmp_path):
    keep_takes(tmp_path, "Bell", 2)
    keep_takes(tmp_path, "background", 2)
    tab, commands = teach("?step=learn", mode="waits")
    tab.get_by_role("button", name="Start").click()
    tab.get_by_role("progressbar").wait_for()
    tab.get_by_role("button", name="Cancel").click()
    tab.get_by_role("button", name="Start").wait_for()
    commands.start = ScriptedTrain(tmp_path, "fails").start
    tab.get_by_role("button", name="Start").click()
    tab.get_by_text("one clip is too few").wait_for()


def test_nothing_is_learned_without_the_room(teach, tmp_path):
    keep_takes(tmp_path, "Bell", 2)
    tab, _ = teach("?step=learn")
    tab.get_by_text("There is no recording of the room yet").wait_for()
    assert tab.get_by_role("button", name="Start").is_disabled()


def test_a_sound_is_forgotten_only_after_a_question(teach, tmp_path):
    keep_takes(tmp_path, "Bell", 2)
    tab, _ = teach()
    tab.get_by_role("button", name="Forget Bell").click()
    tab.get_by_role("button", name="Cancel").click()
    assert len([*(tmp_path / "data" / "sounds" / "Bell").iterdir()]) == 2
    tab.get_by_role("button", name="Forget Bell").click()
    tab.get_by_role("button", name="Forget", exact=True).click()
    tab.get_by_role("button", name="Forget Bell").wait_for(state="hidden")


def test_everybody_can_use_it_at_every_width_in_light_and_dark(teach, tmp_path):
    keep_takes(tmp_path, "Bell", 2)
    tab, _ = teach(f"?step=record&sound={HOSTILE}")
    tab.get_by_role("heading", name=HOSTILE).wait_for()
    assert tab.locator("img").count() == 0
    assert faults_at_each_width(tab) == []
    tab.get_by_role("button", name="Back").click()
    tab.get_by_role("button", name="Record more").click()
    tab.get_by_text("3 s · good").first.wait_for()
    assert faults_at_each_width(tab) == []
