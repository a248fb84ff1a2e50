"""Real sounds through the real networks: one sound, one event, and what else the events promise.

Each law holds with both networks and with YAMNet alone. Nobody chose the first clips of ESC-10: they are the
first of each class by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from detector.assemble.stages import make_pipeline
from detector.config.settings import EventSettings, LabelSettings, Settings, WindowSettings
from detector.errors import ModelError
from detector.modelstore.store import load_classifier
from detector.records import Block, Event, Scores, Window
from tests.support.program import ALARM, DATA, RATE, demo_samples

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (DATA / "esc10").is_dir() or not (DATA / "esc50dev").is_dir(),
        reason=f"the clips are not at {DATA}: set SOUND_DETECTOR_DATA",
    ),
]

BLOCK = 1920
ROOM_DBFS = -60.0
PRESETS = ("alert", "home", "quiet")


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one event: its messages, from start to end."""

    messages: tuple[Event, ...]

    @property
    def end(self) -> Event:
        return self.messages[-1]

    @property
    def label(self) -> str:
        return self.end.label.name

    @property
    def rivals(self) -> list[str]:
        return [other.label.name for other in self.end.alternatives]

    @property
    def mentioned(self) -> set[str]:
        """Every label that any of its messages names."""
        return {
            name
            for event in self.messages
            for name in (event.label.name, *(other.label.name for other in event.alternatives))
        }


class RememberingClassifier:
    """Scores each window once: the same sound is heard with several settings."""

    def __init__(self, name: str) -> None:
        self._inner = load_classifier(name)
        self.spec = self._inner.spec
        self._known: dict[tuple[bytes, float], Scores] = {}

    def scores(self, window: Window) -> Scores:
        key = window.samples.tobytes(), window.gain
        if key not in self._known:
            self._known[key] = self._inner.scores(window)
        return replace(self._known[key], span=window.span)

    def close(self) -> None:
        self._inner.close()


class Listener:
    """Hears samples with one model."""

    def __init__(self, name: str) -> None:
        self.classifier = RememberingClassifier(name)
        self.rate = self.classifier.spec.sample_rate
        self.everyday = {label.name for label in self.classifier.spec.labels if label.reported_as is None}

    def reports(
        self, samples: NDArray[np.int16], events: EventSettings | None = None, *, hop: float | None = None
    ) -> list[Report]:
        """The events of a stream, first onset first; `hop` [s] is that while nothing new sounds."""
        windows = WindowSettings() if hop is None else WindowSettings(steady_hop_seconds=hop)
        settings = Settings(events=events or EventSettings(), windows=windows)
        pipeline = make_pipeline(settings, self.classifier)
        told = [
            event
            for start in range(0, len(samples), BLOCK)
            for event in pipeline.push(Block(start, samples[start : start + BLOCK]))
        ]
        told += pipeline.flush()
        reports = [Report(tuple(e for e in told if e.id == number)) for number in {e.id for e in told}]
        for report in reports:
            assert [event.phase == "start" for event in report.messages].count(True) == 1
            assert [event.phase == "end" for event in report.messages].count(True) == 1
        return sorted(reports, key=lambda report: report.end.onset)

    @cached_property
    def of_first_clips(self) -> Mapping[str, list[Report]]:
        """The events of each of the first clips, with the default settings."""
        return {name: self.reports(samples) for name, samples in first_clips(self.rate).items()}

    def stream(self, *parts: NDArray[np.float32]) -> NDArray[np.int16]:
        """Two seconds of a quiet room, the parts, and room enough that every event ends."""
        return stream(self.rate, *parts)

    def clip(self, name: str) -> NDArray[np.float32]:
        return read(DATA / name, self.rate)

    def demo(self, start: float = 0.0, stop: float = 21.0) -> NDArray[np.float32]:
        """A stretch of the bundled recording [s]."""
        samples = demo_samples(start, stop).astype(np.float32) / 32768
        resampled: NDArray[np.float32] = soxr.resample(samples, RATE, self.rate)
        return resampled


@pytest.fixture(scope="module", params=["yamnet+mn04", "yamnet"])
def listener(request: pytest.FixtureRequest) -> Listener:
    try:
        return Listener(request.param)
    except ModelError as error:
        pytest.skip(str(error))


@cache
def read(path: Path, rate: int) -> NDArray[np.float32]:
    samples, own_rate = soundfile.read(path, dtype="float32", always_2d=True)
    resampled: NDArray[np.float32] = soxr.resample(samples.mean(axis=1), own_rate, rate)
    return resampled


def room(rate: int, seconds: float, dbfs: float = ROOM_DBFS) -> NDArray[np.float32]:
    """Steady noise of this level."""
    noise = np.random.default_rng(1).normal(0.0, 10 ** (dbfs / 20), round(seconds * rate))
    return noise.astype(np.float32)


def stream(rate: int, *parts: NDArray[np.float32]) -> NDArray[np.int16]:
    return as_int16(np.concatenate([room(rate, 2.0), *parts, room(rate, 3.0)]))


def as_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    whole: NDArray[np.int16] = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
    return whole


@cache
def first_clips(rate: int) -> Mapping[str, NDArray[np.int16]]:
    """The first two clips of each class of ESC-10, each in a quiet room."""
    folders = sorted(path for path in (DATA / "esc10").iterdir() if path.is_dir())
    paths = [path for folder in folders for path in sorted(folder.glob("*.ogg"))[:2]]
    assert len(paths) == 20
    return {path.name: stream(rate, read(path, rate)) for path in paths}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("esc10/001 - Dog bark/1-110389-A.ogg", "Dog"),
        ("esc10/006 - Person sneeze/1-26143-A.ogg", "Sneeze"),
        ("esc50dev/coughing/4-152995-A-24.ogg", "Cough"),
    ],
)
def test_one_sound_gives_one_event(listener: Listener, name: str, label: str) -> None:
    (report,) = listener.reports(listener.stream(listener.clip(name)))
    assert report.label == label


def test_a_clip_of_one_sound_seldom_gives_two_events(listener: Listener) -> None:
    counts = [len(reports) for reports in listener.of_first_clips.values()]
    assert sum(counts) <= 1.2 * len(counts)
    assert max(counts) <= 2


def test_rivals_are_alternatives_and_no_events(listener: Listener) -> None:
    """The bundled recording's smoke alarm is also a beep and a buzzer."""
    reports = listener.reports(as_int16(listener.demo()))
    assert [report.messages[0].label.name for report in reports] == ["Speech", ALARM, "Siren"]
    assert {"Beep, bleep", "Buzzer"} & set(reports[1].rivals)


def test_the_bundled_smoke_alarm_is_known_by_its_rhythm(listener: Listener) -> None:
    """A real T3: it corrects what the network called it."""
    alarm = listener.reports(as_int16(listener.demo()))[1]
    assert alarm.label == "Smoke alarm (T3)"
    assert alarm.rivals[0] == ALARM
    assert alarm.end.pattern is not None and alarm.end.pattern.name == "T3"


def test_alternatives_are_at_most_three_others_the_likeliest_first(listener: Listener) -> None:
    messages = [
        event
        for reports in listener.of_first_clips.values()
        for report in reports
        for event in report.messages
    ]
    assert any(event.alternatives for event in messages)
    for event in messages:
        names = [event.label.name, *(other.label.name for other in event.alternatives)]
        scores = [other.score for other in event.alternatives]
        assert len(names) == len(set(names)) <= 4
        assert scores == sorted(scores, reverse=True)


def test_a_corrected_first_guess_keeps_its_id_and_tells_what_it_was(listener: Listener) -> None:
    corrected = 0
    for reports in listener.of_first_clips.values():
        for report in reports:
            for before, after in pairwise(report.messages):
                assert after.onset == before.onset
                if after.label == before.label:
                    assert after.earlier == before.earlier
                else:
                    corrected += 1
                    assert after.phase == "update"
                    assert after.earlier == (*before.earlier, before.label)
    assert corrected > 0


@pytest.mark.parametrize("name", ["esc10/001 - Dog bark/1-30344-A.ogg", "esc10/001 - Dog bark/1-59513-A.ogg"])
def test_speech_over_a_dog_that_barks_gives_two_events(listener: Listener, name: str) -> None:
    """They are mixed on the spot; the speech begins when the barking is older than 6 s."""
    bark, speech = listener.clip(name), listener.demo(0.0, 5.2)
    heard = np.flatnonzero(np.abs(bark) > 0.02 * np.abs(bark).max())
    barking = np.resize(bark[heard[0] : heard[-1]] / np.abs(bark).max() / 2, 12 * listener.rate)
    begin = round(6.5 * listener.rate)
    barking[begin : begin + len(speech)] += speech
    dog, voice = listener.reports(listener.stream(barking))
    assert (dog.label, voice.label) == ("Dog", "Speech")
    assert voice.end.onset / listener.rate == pytest.approx(2 + 6.5, abs=1.1)
    assert dog.end.onset < voice.end.onset < (dog.end.offset or 0)


def test_a_bark_is_reported_as_a_dog_unless_the_settings_name_it(listener: Listener) -> None:
    bark = listener.stream(listener.clip("esc10/001 - Dog bark/1-110389-A.ogg"))
    assert [report.label for report in listener.reports(bark)] == ["Dog"]
    for settings in (
        EventSettings(labels={"Bark": LabelSettings()}, include=("Bark",)),
        EventSettings(include=("Bark",)),
        EventSettings(groups={"Bark!": ("Bark",)}, include=("Bark!",)),
    ):
        (report,) = listener.reports(bark, settings)
        assert report.label.removesuffix("!") == "Bark"


def test_only_everyday_names_are_reported(listener: Listener) -> None:
    mentioned = [
        name
        for reports in listener.of_first_clips.values()
        for report in reports
        for name in report.mentioned
    ]
    assert set(mentioned) <= listener.everyday


def test_alert_tells_at_least_what_home_tells_and_quiet_at_most(listener: Listener) -> None:
    for name, home in listener.of_first_clips.items():
        alert, quiet = (
            listener.reports(first_clips(listener.rate)[name], EventSettings(preset=preset))
            for preset in ("alert", "quiet")
        )
        assert len(quiet) <= len(home) <= len(alert), name
        mentioned_by_alert = {label for report in alert for label in report.mentioned}
        mentioned_at_home = {label for report in home for label in report.mentioned}
        assert {report.label for report in home} <= mentioned_by_alert, name
        assert {report.label for report in quiet} <= mentioned_at_home, name


@pytest.mark.parametrize("preset", PRESETS)
def test_silence_and_steady_noise_are_no_events(listener: Listener, preset: str) -> None:
    settings = EventSettings(preset=preset)
    levels = (-80, -60, -40, -30)
    for quiet in (np.zeros(15 * listener.rate), *(room(listener.rate, 15.0, dbfs) for dbfs in levels)):
        assert listener.reports(as_int16(quiet), settings) == []


def test_windows_further_apart_give_the_same_events(listener: Listener) -> None:
    """All windows of a sound decide what it is, so fewer of them now and then decide otherwise."""
    same_sounds = same_labels = 0
    for name, adaptive in listener.of_first_clips.items():
        fixed = listener.reports(first_clips(listener.rate)[name], hop=WindowSettings().hop_seconds)
        assert len(fixed) == len(adaptive), name
        same_sounds += [report.end.onset for report in fixed] == [report.end.onset for report in adaptive]
        same_labels += [report.label for report in fixed] == [report.label for report in adaptive]
    assert same_sounds >= 18
    assert same_labels >= 16
