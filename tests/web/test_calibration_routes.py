"""Calibration from the page: `calibrate` gets the daemon's sound, the config file its proposal."""

import sys

import numpy as np
import pytest

from detector.web.desk.calibration_job import changes_of, row_of
from detector.web.desk.child_commands import Commands
from tests.support.page_desks import CommandsHere, RecordedFeeds, ask, parts_with_desk, wait_for
from tests.support.web_pages import open_page

PATH = "/api/v1/calibrate"
TEXT = "# mine\nevents:\n  labels:\n    Rooster: {threshold_on: 0.6}  # loud\nmodel: {name: esc10}\n"
PROGRAM = """
import sys
out = sys.argv[sys.argv.index("--out") + 1]
heard = sys.stdin.buffer.read()
print("heard: %d bytes" % len(heard), file=sys.stderr)
if {fails}:
    print("sound-detector: mic is digital silence", file=sys.stderr)
    sys.exit(1)
with open(out, "w") as file:
    file.write(
        "events:\\n  exclude: [Rain]\\n  labels:\\n    Rooster: {{threshold_on: 0.7}}\\n"
        "    Dog bark: {{threshold_on: 0.55, threshold_off: 0.3}}\\ngate: {{min_level_dbfs: -50.5}}\\n"
        "model: {{name: esc10}}\\n"
    )
"""


class ScriptedCalibrate(CommandsHere):
    """`calibrate` is a small program, all other commands run here."""

    def __init__(self, folder, *, fails=False):
        super().__init__()
        program = folder / "calibrate.py"
        program.write_text(PROGRAM.format(fails=fails))
        self.start = Commands((sys.executable, "-S", str(program))).start


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return path


def page_of(folder, seconds=70, endless=False, **options):
    feeds = RecordedFeeds([5, -5] * 2000 * seconds, rate=4000, endless=endless)
    return open_page(parts_with_desk(folder, commands=ScriptedCalibrate(folder, **options), feeds=feeds))


def test_a_proposal_is_shown_applied_and_undone(tmp_path, config):
    with page_of(tmp_path) as page:
        assert page.get(PATH).json() == {"state": "none"}
        status, job = ask(page, "POST", PATH, {"seconds": 60, "source": "porch"})
        assert (status, job["state"], job["source"]) == (202, "running", "porch")
        assert ask(page, "POST", PATH, {"seconds": 60})[0] == 409
        job = wait_for(page, PATH, lambda job: job["state"] != "running")
        assert (job["state"], job["error"], job["heard"]) == ("done", None, 60.0)
        assert job["report"] == ["heard: 480000 bytes"]
        assert job["proposal"]["changes"] == {
            "events.labels.Rooster.threshold_on": 0.7,
            "events.labels.Dog bark.threshold_on": 0.55,
            "events.labels.Dog bark.threshold_off": 0.3,
            "events.exclude": ["Rain"],
            "gate.min_level_dbfs": -50.5,
        }
        row = {"key": "events.labels.Rooster.threshold_on", "label": "Rooster", "before": 0.6, "after": 0.7}
        assert job["proposal"]["rows"][0] == row
        assert config.read_text() == TEXT
        status, answer = ask(page, "POST", f"{PATH}/apply")
        assert (status, answer["undo"]["what"]) == (200, "calibration")
        assert "Rooster: {threshold_on: 0.7}  # loud" in config.read_text()
        assert page.get(PATH).json()["applied"]
        assert ask(page, "POST", f"{PATH}/apply")[0] == 409
        assert ask(page, "POST", "/api/v1/settings/undo")[0] == 200
        assert config.read_text() == TEXT


def test_a_calibration_that_fails_or_hears_nothing_says_why(tmp_path, config):
    with page_of(tmp_path, fails=True) as page:
        ask(page, "POST", PATH, {"seconds": 60})
        job = wait_for(page, PATH, lambda job: job["state"] != "running")
        assert (job["state"], job["error"]) == ("failed", "mic is digital silence")
        assert ask(page, "POST", f"{PATH}/apply")[0] == 409
    with page_of(tmp_path, seconds=3) as page:
        ask(page, "POST", PATH, {"seconds": 60})
        job = wait_for(page, PATH, lambda job: job["state"] != "running")
        assert (job["state"], job["error"]) == ("failed", "no sound from the daemon: the recording is over")
        assert config.read_text() == TEXT


def test_it_can_be_stopped_and_ended_early_only_with_enough_sound(tmp_path, config):
    with page_of(tmp_path, endless=True) as page:
        assert ask(page, "POST", f"{PATH}/finish")[0] == 409
        ask(page, "POST", PATH, {"seconds": 3600})
        assert "needs 60 s" in ask(page, "POST", f"{PATH}/finish")[1]["error"]
        assert ask(page, "DELETE", PATH)[1]["state"] == "cancelled"
        assert ask(page, "DELETE", PATH)[1] == {"state": "none"}
        ask(page, "POST", PATH, {"seconds": 3600})
        wait_for(page, PATH, lambda job: job["heard"] > 60)
        assert ask(page, "POST", f"{PATH}/finish")[0] == 202
        job = wait_for(page, PATH, lambda job: job["state"] != "running")
        assert job["state"] == "done" and 60 < job["heard"] <= 3600


@pytest.mark.parametrize("body", [{"seconds": 5}, {"seconds": 1e9}, {"seconds": "60"}, {"source": 5}])
def test_what_cannot_be_asked_is_refused(tmp_path, config, body):
    with page_of(tmp_path) as page:
        assert ask(page, "POST", PATH, body)[0] in (400, 422)
        assert page.get(PATH).json() == {"state": "none"}


def test_a_label_whose_settings_went_is_a_change_too():
    before = {
        "events": {"labels": {"Hum": {"threshold_on": 0.4, "threshold_off": None}}, "exclude": []},
        "gate": {"min_level_dbfs": None},
    }
    changes = changes_of("events: {exclude: [Hum]}\n", before)
    assert changes == {"events.labels.Hum.threshold_on": None, "events.exclude": ["Hum"]}
    assert row_of("events.exclude", ["Hum"], before)["before"] == []
    assert changes_of("events: {labels: {Hum: {threshold_on: 0.4}}}\n", before) == {}


@pytest.mark.slow
def test_the_real_command_hears_a_minute_of_noise(tmp_path, config):
    noise = np.random.default_rng(1).integers(-300, 300, 16000 * 61).tolist()
    with open_page(
        parts_with_desk(tmp_path, commands=_CalibratesReally(), feeds=RecordedFeeds(noise))
    ) as page:
        ask(page, "POST", PATH, {"seconds": 60})
        job = wait_for(page, PATH, lambda job: job["state"] != "running")
        assert (job["state"], job["error"]) == ("done", None)
        assert job["report"][0].startswith("heard: 1:00")
        assert job["proposal"] is not None


class _CalibratesReally(CommandsHere):
    def __init__(self):
        super().__init__()
        self.start = Commands().start
