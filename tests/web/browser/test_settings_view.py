"""The settings in a browser, on a real config file: change, preview, save, undo, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.browser_views import faults_at_each_width, wait_for
from tests.support.fakes import wait_until
from tests.support.page_desks import parts_with_desk
from tests.support.web_pages import make_doorkeeper

HOSTILE = "<img src=x onerror=alert(1)> " + "y" * 10_000
TEXT = """\
# mine
events:
  threshold_on: 0.5   # chosen in May
  labels:
    Dog bark: {threshold_on: 0.4}
model:
  name: esc10
source:
  input: night.flac
"""
LABELS = {"labels": ["Dog bark", "Rooster", "Rain", HOSTILE], "groups": {"alarms": ["Siren", "Alarm"]}}
STATUS = {"connected": True, "state": "listening"}
RULES = {"targets": ["phone"], "rules": [{"name": "Fire", "labels": ["alarms"], "urgent": True}]}
PREVIEW = {"faults": [], "text": "with 0.45, 12 of yesterday's 31 events would remain", "note": None}
ANSWERS = {"GET labels": LABELS, "GET status": STATUS, "GET sources": {"sources": []}}


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def desk(tmp_path, config):
    return parts_with_desk(tmp_path)


def test_a_score_is_previewed_saved_with_all_comments_and_undone(serve, desk, config, visit):
    tab = visit(f"{serve(desk)}/#/settings", answers={**ANSWERS, "POST settings/preview": PREVIEW})
    tab.get_by_label("Score that a sound must reach").fill("0.45")
    tab.get_by_text("12 of yesterday's 31 events would remain").wait_for()
    assert tab.asked[-1][2] == {"changes": {"events.threshold_on": 0.45}}
    tab.get_by_role("button", name="Save").click()
    wait_until(lambda: "threshold_on: 0.45   # chosen in May" in config.read_text())
    tab.get_by_role("region", name="not saved").wait_for(state="hidden")
    tab.get_by_text("from this page").filter(has_text="must reach: 0.5 → 0.45").wait_for()
    tab.locator(".toast").get_by_role("button", name="Undo").click()
    wait_until(lambda: config.read_text() == TEXT)
    wait_for(tab, "document.querySelector('.slider').value === '0.5'")


def test_labels_are_searched_with_the_keyboard_and_taken_away_again(serve, desk, config, visit):
    tab = visit(f"{serve(desk)}/#/settings", answers=ANSWERS)
    tab.get_by_role("combobox", name="Never report these").fill("ala")
    tab.get_by_role("option", name="alarms group of 2").wait_for()
    tab.keyboard.press("Enter")
    tab.keyboard.type("r")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.get_by_role("combobox", name="Give a sound its own score").fill("roo")
    tab.keyboard.press("Enter")
    tab.get_by_role("slider", name="Rooster").fill("0.6")
    tab.get_by_role("button", name="Remove Dog bark").click()
    tab.get_by_role("button", name="Remove alarms").click()
    tab.get_by_role("button", name="Save").click()
    wait_until(lambda: "Rooster" in config.read_text())
    text = config.read_text()
    assert "exclude: [Rain]" in text and "Dog bark" not in text and "0.6" in text


def test_without_a_daemon_labels_are_written_by_name(serve, desk, config, visit):
    tab = visit(f"{serve(desk)}/#/settings", answers={**ANSWERS, "GET labels": (503, {"error": "no daemon"})})
    tab.get_by_role("combobox", name="Never report these").fill("Rain")
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="Save").click()
    wait_until(lambda: "exclude: [Rain]" in config.read_text())


def test_a_fault_is_shown_beside_its_field_and_nothing_is_written(serve, desk, config, visit):
    config.write_text(TEXT + "notify:\n  webhooks: [{name: phone, url: 'https://example.org/'}]\n")
    before = config.read_text()
    tab = visit(f"{serve(desk)}/#/settings", answers=ANSWERS)
    field = tab.get_by_label("Quiet hours")
    field.fill("at night")
    tab.get_by_role("button", name="Save").click()
    tab.locator(".fault", has_text="expected hours of the day such as 22:00-07:00, got 'at night'").wait_for()
    assert field.get_attribute("aria-invalid") == "true"
    assert field.get_attribute("aria-describedby") == tab.locator(".fault:visible").get_attribute("id")
    wait_for(tab, "document.activeElement.getAttribute('aria-invalid') === 'true'")
    assert config.read_text() == before


def test_a_microphone_of_several_has_settings_of_its_own(serve, desk, config, visit):
    config.write_text(
        TEXT.replace("source:\n  input: night.flac\n", "sources:\n  porch: {file: night.flac}   # north\n")
    )
    tab = visit(f"{serve(desk)}/#/settings", answers=ANSWERS)
    tab.get_by_label("Quiet hours").fill("22:00-07:00")
    tab.get_by_role("button", name="Save").click()
    tab.get_by_role("region", name="not saved").wait_for(state="hidden")
    text = config.read_text()
    assert 'quiet_hours: "22:00-07:00"' in text and "# north" in text


def test_changes_can_be_discarded(serve, desk, visit):
    tab = visit(f"{serve(desk)}/#/settings", answers=ANSWERS)
    tab.get_by_label("Quiet", exact=False).first.check()
    tab.get_by_role("button", name="Discard").click()
    assert tab.get_by_label("Home").is_checked()
    assert tab.get_by_role("region", name="not saved").is_hidden()


def test_a_page_that_is_read_only_says_so_and_changes_nothing(serve, tmp_path, config, visit):
    doorkeeper = make_doorkeeper(tmp_path, read_only=True)
    parts = replace(parts_with_desk(tmp_path, read_only=True), doorkeeper=doorkeeper)
    tab = visit(f"{serve(parts)}/#/settings", answers=ANSWERS)
    tab.get_by_text("may only be read").wait_for()
    assert tab.get_by_role("button", name="Pause").is_disabled()
    assert tab.get_by_label("Score that a sound must reach").is_disabled()


def test_a_file_with_faults_is_shown_with_its_faults(serve, desk, config, visit):
    config.write_text("events:\n  threshold_on: <b>seven</b>\n")
    tab = visit(f"{serve(desk)}/#/settings", answers=ANSWERS)
    tab.get_by_role("alert").get_by_text("<b>seven</b>").wait_for()
    assert tab.get_by_label("Score that a sound must reach").count() == 0


def test_the_daemon_is_paused_and_goes_on(serve, desk, visit):
    paused = []
    answers = {**ANSWERS, "POST pause": lambda request: paused.append(request.post_data_json) or paused[-1]}
    tab = visit(f"{serve(desk)}/#/settings", answers=answers)
    tab.get_by_role("button", name="Pause").click()
    tab.get_by_role("button", name="Go on").click()
    tab.get_by_role("button", name="Pause").wait_for()
    assert paused == [{"paused": True}, {"paused": False}]


def test_notifications_are_tried_and_each_says_how_it_went(serve, desk, visit):
    fine = {"name": "phone", "delivered": True, "seconds": 0.4, "detail": ""}
    bad = {"name": "lamp", "delivered": False, "seconds": 5, "detail": "answered 503"}
    answers = {**ANSWERS, "POST notify/test": {"results": [fine, bad]}}
    answers["GET settings"] = lambda request: (
        request.frame.page.context.request.get(request.url).json() | RULES
    )
    tab = visit(f"{serve(desk)}/#/settings", answers=answers)
    tab.get_by_role("button", name="Send a test").click()
    tab.get_by_text("phone: delivered after 0.4 s").wait_for()
    tab.get_by_text("lamp: answered 503").wait_for()


def test_a_rule_of_notifications_is_switched_off(serve, desk, config, visit):
    rules = "  rules: [{name: Fire, labels: [Rooster]}] # ours\n"
    config.write_text(f"{TEXT}notify:\n  commands: [{{name: phone, argv: [/bin/true]}}]\n{rules}")
    tab = visit(f"{serve(desk)}/#/settings", answers=ANSWERS)
    tab.get_by_role("switch", name="Fire").press("Space")
    tab.get_by_role("button", name="Save").click()
    wait_until(lambda: "[{name: Fire, labels: [Rooster], enabled: false}] # ours" in config.read_text())


def test_the_room_is_heard_and_what_it_needs_is_applied_only_after_a_word(serve, desk, visit):
    job = {"state": "none"}
    row = {
        "key": "events.labels.<b>Rain</b>.threshold_on",
        "label": "<b>Rain</b>",
        "before": 0.3,
        "after": 0.55,
    }
    running = {
        "state": "running",
        "seconds": 300,
        "heard": 75,
        "report": [],
        "proposal": None,
        "applied": False,
    }
    done = running | {"state": "done", "proposal": {"changes": {}, "rows": [row], "nothing": False}}
    applied = {"applied": [row["key"]], "needs_restart": [], "reloaded": True, "undo": None, "warnings": []}
    answers = {
        **ANSWERS,
        "GET calibrate": lambda request: dict(job),
        "POST calibrate": lambda request: job.update(running) or (202, dict(job)),
        "POST calibrate/finish": lambda request: job.update(done) or (202, dict(job)),
        "POST calibrate/apply": lambda request: job.update(applied=True) or applied,
    }
    tab = visit(f"{serve(desk)}/#/settings", answers=answers)
    tab.get_by_role("button", name="Listen to the room").click()
    tab.get_by_text("Heard 1 min 15 s of 5 minutes").wait_for()
    tab.get_by_role("button", name="That is enough").click()
    tab.get_by_role("cell", name="<b>Rain</b>").wait_for()
    assert not job["applied"]
    tab.get_by_role("button", name="Apply").click()
    tab.get_by_text("The proposal was applied.").wait_for()
    assert job["applied"]


def test_everybody_can_use_it_at_every_width_in_light_and_dark(serve, desk, visit):
    tab = visit(f"{serve(desk)}/#/settings", answers=ANSWERS)
    never = tab.get_by_role("combobox", name="Never report these")
    never.fill("<img")
    tab.keyboard.press("Enter")
    tab.get_by_role("combobox", name="Give a sound its own score").fill("<img")
    tab.keyboard.press("Enter")
    never.fill("r")
    tab.get_by_role("option").first.wait_for()
    assert tab.locator("img").count() == 0
    assert faults_at_each_width(tab) == []
