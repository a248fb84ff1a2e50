"""What calibrating measures: the labels that are reported, not those that only compete."""

import numpy as np

from detector.assemble.calibration import RoomSetup
from detector.calibration.proposal import propose
from detector.config.loading import Loaded
from detector.config.settings import EventSettings, LabelSettings, ModelSettings, Settings
from detector.records import Scores, Span
from tests.support.program import DEMO
from tests.support.small_heads import write_base


def test_a_label_that_is_excluded_gets_no_threshold(tmp_path, monkeypatch):
    """It competes for every sound, here with the highest score."""
    monkeypatch.setenv("SOUND_DETECTOR_HOME", str(tmp_path))
    write_base(tmp_path / "models")
    events = EventSettings(exclude=("Loud",), labels={"Dog": LabelSettings(threshold_on=0.4)})
    settings = Settings(model=ModelSettings(name="ear"), events=events)
    setup = RoomSetup(Loaded(settings, None, {}), inputs=[DEMO], keep=[])
    names = [label.name for label in setup.tuning.labels]
    assert names == ["Dog"]
    assert len(setup.tuning.on) == len(setup.tuning.off) == len(names)

    votes = setup.make_statistics().votes
    values = np.array([0.99 if label.name == "Loud" else 0.3 for label in setup.spec.labels], np.float32)
    for start in range(0, 48000, 3840):
        votes.push(Scores(Span(start, start + 16000), values), start / 16000)
    changes = propose(setup.tuning.labels, votes, on=setup.tuning.on, off=setup.tuning.off, seconds=3600)
    assert [(change.label.name, change.heard) for change in changes] == [("Dog", np.float32(0.3))]
