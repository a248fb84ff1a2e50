"""Own sounds on the page: takes recorded, uploaded, judged; a model trained, tried, used and taken away."""

import io
import wave
from array import array

import pytest

from detector.web.desk.training_job import MODEL, base_flags
from tests.support.fake_daemon import FakeDaemon
from tests.support.fakes import wait_until
from tests.support.page_desks import RecordedFeeds, ask, parts_with_desk, wait_for
from tests.support.scripted_train import RATE, ScriptedTrain, sound, wav
from tests.support.web_pages import changing, open_page

TEACH = "/api/v1/teach"


@pytest.fixture
def open_teaching(tmp_path):
    (tmp_path / "config.yaml").write_text("model: {name: esc10}\n")

    def opened(mode="works", samples=None, uris=None):
        commands = ScriptedTrain(tmp_path, mode)
        feeds = None if uris else RecordedFeeds(samples or sound(6.0), RATE)
        return open_page(parts_with_desk(tmp_path, uris, commands=commands, feeds=feeds)), commands

    return opened


@pytest.fixture
def page(open_teaching):
    with open_teaching()[0] as client:
        yield client


def upload(page, name, content):
    headers = dict(changing(page)) | {"Content-Type": "audio/wav"}
    answer = page.post(f"{TEACH}/takes", params={"name": name}, headers=headers, content=content)
    return answer.status_code, answer.json()


def kept_take(page, name):
    _, take = upload(page, name, wav(sound()))
    return ask(page, "POST", f"{TEACH}/takes/{take['id']}/keep")[1]


def state(page):
    return page.get(TEACH).json()


@pytest.mark.parametrize(
    ("model", "flags"),
    [
        ("auto", ()),
        ("esc10", ()),
        ("yamnet", ("--base", "yamnet")),
        ("mn04+doorbell", ("--base", "mn04")),
        ("mn04+yamnet", ("--base", "yamnet+mn04")),
    ],
)
def test_a_head_is_trained_for_the_networks_of_the_daemon(model, flags):
    assert base_flags(model) == flags


def test_a_take_is_recorded_heard_and_kept_where_train_finds_it(page, tmp_path):
    assert state(page)["sounds"] == [
        {"name": "background", "takes": 0, "seconds": 0, "learned": False, "ready": False}
    ]
    status, recording = ask(page, "POST", f"{TEACH}/record", {"name": "Bell", "seconds": 2})
    assert (status, recording["name"], recording["seconds"]) == (202, "Bell", 2.0)
    found = wait_for(page, TEACH, lambda found: found["recording"] is None)
    (take,) = found["pending"]
    assert (take["name"], take["seconds"], take["kept"]) == ("Bell", 2.0, False)
    with wave.open(io.BytesIO(page.get(f"{TEACH}/takes/{take['id']}/sound").content)) as reader:
        assert reader.getnframes() == 2 * RATE
    part = page.get(f"{TEACH}/takes/{take['id']}/sound", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    status, kept = ask(page, "POST", f"{TEACH}/takes/{take['id']}/keep")
    assert (status, kept["kept"]) == (200, True)
    (path,) = (tmp_path / "data" / "sounds" / "Bell").iterdir()
    assert path.name.startswith("Bell-") and path.name.endswith("Z-01.wav")
    assert [one["id"] for one in page.get(f"{TEACH}/takes", params={"name": "bell"}).json()["takes"]] == [
        kept["id"]
    ]
    assert state(page)["pending"] == []
    assert ask(page, "DELETE", f"{TEACH}/takes/{kept['id']}") == (204, None)
    assert ask(page, "POST", f"{TEACH}/takes/{kept['id']}/keep")[0] == 404


@pytest.mark.parametrize(
    ("samples", "quality"),
    [
        (sound(), "good"),
        (sound(loud=25), "too quiet"),
        (array("h", [32767, -32768] * 4000), "clipped"),
        (array("h", [0] * 8000), "digital silence"),
    ],
)
def test_an_upload_is_judged(page, samples, quality):
    status, take = upload(page, "Bell", wav(samples))
    assert (status, take["quality"], take["seconds"]) == (201, quality, 1.0)
    assert bool(take["advice"]) == (quality != "good")


def test_two_channels_become_one_and_flac_stays(page):
    both = array("h", [value for one in sound() for value in (one, one)])
    assert upload(page, "Bell", wav(both, channels=2))[1]["seconds"] == 1.0
    packed = (RATE << 44) | (15 << 36) | (RATE * 2)
    flac = b"fLaC\x80\x00\x00\x22" + bytes(10) + packed.to_bytes(8, "big") + bytes(16)
    status, take = upload(page, "Bell", flac)
    assert (status, take["quality"], take["seconds"]) == (201, "not measured", 2.0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "WAV or FLAC"),
        (b"<html>", "WAV or FLAC"),
        (b"fLaC", "damaged"),
        (wav(sound())[:30], "WAV or FLAC"),
        (wav(sound(0.1)), "0.3 to 60 s"),
        (wav(sound(), rate=100), "8000 to 192000 Hz"),
        (wav(bytes(3 * 8000), width=3), "16 bits"),
        (wav(bytes(16000 * 61)), "60 s"),
    ],
)
def test_what_is_no_sound_is_refused_in_one_line(page, content, words):
    status, answer = upload(page, "Bell", content)
    assert status == 422 and words in answer["error"] and "\n" not in answer["error"]
    assert state(page)["pending"] == []


def test_an_upload_is_bounded(page):
    assert upload(page, "Bell", bytes(12_000_001))[0] == 413


@pytest.mark.parametrize(
    "name", ["", " ", "../x", "a/b", ".pending", ".hidden", "a" * 200, "x\n", 'a"b', "1 - a"]
)
def test_a_name_that_cannot_be_a_folder_is_refused(page, tmp_path, name):
    assert upload(page, name, wav(sound()))[0] == 422
    assert ask(page, "POST", f"{TEACH}/record", {"name": name})[0] == 422
    assert not (tmp_path / "data").exists()


def test_names_are_spelt_as_before_and_a_background_is_cut_into_parts(page, tmp_path):
    kept_take(page, "Bell")
    assert upload(page, "BELL", wav(sound()))[1]["name"] == "Bell"
    _, take = upload(page, "Background", wav(sound(7.0)))
    assert take["name"] == "background"
    ask(page, "POST", f"{TEACH}/takes/{take['id']}/keep")
    names = sorted(path.name for path in (tmp_path / "data" / "sounds" / "background").iterdir())
    assert [name[-9:] for name in names] == ["01-01.wav", "01-02.wav"]
    assert ask(page, "DELETE", f"{TEACH}/sounds/Bell") == (204, None)
    assert ask(page, "DELETE", f"{TEACH}/sounds/Bell")[0] == 404
    assert [one["name"] for one in state(page)["sounds"]] == ["background"]


def test_recording_can_be_stopped_and_says_what_is_missing(open_teaching, tmp_path):
    with FakeDaemon(tmp_path / "events.sock") as daemon:
        with open_teaching(uris=[daemon.uri])[0] as page:
            ask(page, "POST", f"{TEACH}/record", {"name": "Bell", "seconds": 60})
            assert ask(page, "POST", f"{TEACH}/record", {"name": "Bell"})[0] == 409
            wait_for(page, TEACH, lambda found: found["recording"]["done"] > 0)
            assert ask(page, "DELETE", f"{TEACH}/record") == (204, None)
            assert state(page)["recording"] is None and state(page)["pending"] == []
            daemon.sound = False
            ask(page, "POST", f"{TEACH}/record", {"name": "Bell", "seconds": 1})
            found = wait_for(page, TEACH, lambda found: found["recording"] is None)
            assert "gives no sound" in found["recording_error"]
        wait_until(lambda: daemon.watching["sound"] == 0)


def test_a_model_is_trained_tried_used_and_forgotten(open_teaching, tmp_path):
    opened, commands = open_teaching()
    with opened as page:
        assert "record some" in ask(page, "POST", f"{TEACH}/train", {})[1]["error"]
        first = kept_take(page, "Bell")
        assert "one take is too few" in ask(page, "POST", f"{TEACH}/train", {})[1]["error"]
        kept_take(page, "Bell")
        assert "background" in ask(page, "POST", f"{TEACH}/train", {})[1]["error"]
        assert ask(page, "POST", f"{TEACH}/use", {})[0] == 409
        assert ask(page, "POST", f"{TEACH}/try", {"take": first["id"]})[0] == 409
        for _ in range(2):
            kept_take(page, "background")
        assert ask(page, "POST", f"{TEACH}/train", {})[0] == 202
        found = wait_for(page, TEACH, lambda found: found["training"]["state"] != "running")
        assert (found["training"]["state"], found["training"]["error"]) == ("done", None)
        result = found["result"]
        assert result["classes"] == ["Bell"] and result["notes"] == ["Few clips: Bell 3"]
        assert "a sound was found 27 times" in result["sentences"][0]
        assert "less than half of Bell" in result["sentences"][-1]
        assert found["in_use"] is None and not found["sounds"][0]["learned"]

        commands.heard = [("Bell", 0.9), ("background", 0.9)]
        tried = ask(page, "POST", f"{TEACH}/try", {"take": first["id"]})[1]
        assert tried["events"] == [{"label": "Bell", "score": 0.9, "start": 0.5, "stop": 2.0}]
        assert tried["text"] == "It hears Bell."
        commands.heard = [("Bell", 0.2)]
        tried = ask(page, "POST", f"{TEACH}/try", {"live": True, "seconds": 1})[1]
        assert tried["events"] == [] and tried["best"] == [{"label": "Bell", "score": 0.2}]
        assert "most like Bell, with 0.20" in tried["text"]
        assert [path.name for path in (tmp_path / "state").glob("try-*")] == []

        status, answer = ask(page, "POST", f"{TEACH}/use", {})
        assert status == 200 and "folder of models" in answer["message"]
        assert (tmp_path / "models" / MODEL / "model.yaml").is_file()
        assert [path.name for path in (tmp_path / "models").iterdir()] == [MODEL]
        found = state(page)
        assert found["result"] is None and found["in_use"]["classes"] == ["Bell"]
        assert found["sounds"][0]["learned"]
        ask(page, "DELETE", f"{TEACH}/sounds/Bell")
        assert state(page)["forgotten"] == ["Bell"]
        assert ask(page, "DELETE", f"{TEACH}/use")[0] == 200
        assert not (tmp_path / "models" / MODEL).exists()
        assert state(page)["in_use"] is None and state(page)["result"]["classes"] == ["Bell"]
        assert ask(page, "DELETE", f"{TEACH}/use")[0] == 409


def test_heads_that_the_settings_list_get_the_new_one(open_teaching, tmp_path):
    (tmp_path / "models" / "other").mkdir(parents=True)
    opened, _ = open_teaching()
    with opened as page:
        for name in ("Bell", "background"):
            kept_take(page, name)
            kept_take(page, name)
        ask(page, "POST", f"{TEACH}/train", {})
        wait_for(page, TEACH, lambda found: found["result"] is not None)
        (tmp_path / "config.yaml").write_text("model: {name: esc10, heads: []} # mine\n")
        status, answer = ask(page, "POST", f"{TEACH}/use", {})
        assert status == 422 and MODEL in answer["error"]  # this model takes no heads


def test_a_training_that_fails_or_is_stopped_leaves_the_result_before_it(open_teaching, tmp_path):
    opened, _ = open_teaching("fails")
    with opened as page:
        for name in ("Bell", "background"):
            kept_take(page, name)
            kept_take(page, name)
        ask(page, "POST", f"{TEACH}/train", {})
        found = wait_for(page, TEACH, lambda found: found["training"]["state"] != "running")
        assert found["training"]["error"] == "one clip is too few"
        assert found["result"] is None
    opened, _ = open_teaching("waits")
    with opened as page:
        ask(page, "POST", f"{TEACH}/train", {})
        assert ask(page, "POST", f"{TEACH}/train", {})[0] == 409
        assert ask(page, "DELETE", f"{TEACH}/sounds/Bell")[0] == 409
        found = wait_for(page, TEACH, lambda found: found["training"]["step"])
        assert (found["training"]["done"], found["training"]["total"]) == (3, 9)
        assert ask(page, "DELETE", f"{TEACH}/train")[1]["state"] == "cancelled"
        assert list((tmp_path / "data" / "taught").iterdir()) == []


def test_a_disk_that_is_full_is_said_in_one_line(page, monkeypatch):
    import os

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    status, answer = upload(page, "Bell", wav(sound()))
    assert (status, answer["error"]) == (507, "it cannot be written: No space left on device")
    assert state(page)["pending"] == []


def test_waiting_takes_are_bounded(page):
    content = wav(sound(0.4))
    for _ in range(20):
        assert upload(page, "Bell", content)[0] == 201
    assert upload(page, "Bell", content)[0] == 409


@pytest.mark.parametrize(
    ("sinks", "allowed"),
    [
        ("", False),
        ("sinks: [stdout]\n", False),
        ("sinks: [{kind: socket}]\n", False),
        ("sinks: [stdout, {kind: socket, sound: true}]\n", True),
        ("nonsense: 1\n", None),
    ],
)
def test_whether_there_is_sound_to_record_is_known_from_the_settings(page, tmp_path, sinks, allowed):
    (tmp_path / "config.yaml").write_text(f"model: {{name: esc10}}\n{sinks}")
    found = state(page)
    assert found["sound_allowed"] is allowed
    assert ("sound: true" in (found["why_not"] or "")) == (allowed is False)
