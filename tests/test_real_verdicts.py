"""Verdicts on real sounds: what was called wrong is not told again, and the real thing still is.

Both networks take a cough of the clips for speech where there is noise. YAMNet alone takes one for a dog if
its voice is deep. Both coughs come again as in a home: at another level, with other noise, at another pitch.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from detector.assemble.stages import make_pipeline
from detector.config.settings import Settings
from detector.errors import ModelError
from detector.interfaces import Classifier
from detector.modelstore import ModelCatalogue
from detector.modelstore.store import load_network
from detector.records import Block, Event
from detector.verdicts.event_verdict import RIGHT, WRONG, EventVerdict
from detector.verdicts.verdict_book import VerdictBook
from detector.verdicts.verdict_stage import VerdictStage
from tests.support.program import DATA, RATE, demo_samples

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (DATA / "esc10").is_dir() or not (DATA / "esc50dev").is_dir(),
        reason=f"the clips are not at {DATA}: set SOUND_DETECTOR_DATA",
    ),
]

BLOCK = 1920
COUGH = "esc50dev/coughing/4-171396-A-24.ogg"
DEEP_COUGH = "esc50dev/coughing/4-152995-A-24.ogg"
DOGS = ("1-100032-A", "1-110389-A", "1-30344-A", "2-114280-A", "2-117271-A", "1-59513-A")


BOTH = "yamnet+mn04"


@cache
def classifier(model: str) -> Classifier:
    """One that tells its networks' embeddings too."""
    catalogue = ModelCatalogue()
    try:
        bundle = catalogue.bundle(model)
        return load_network(catalogue, bundle, runtime="auto", threads=1, embeddings=True)
    except ModelError as error:
        pytest.skip(str(error))


def heard(sound: NDArray[np.float32], model: str = BOTH) -> list[Event]:
    """All messages of the events of a sound in a quiet room, at the default settings."""
    rate = classifier(model).spec.sample_rate
    noise = np.random.default_rng(1).normal(0, 3e-4, len(sound) + 5 * rate).astype(np.float32)
    noise[2 * rate : 2 * rate + len(sound)] += sound
    samples = np.clip(np.rint(noise * 32768), -32768, 32767).astype(np.int16)
    pipeline = make_pipeline(Settings(), classifier(model))
    starts = range(0, len(samples), BLOCK)
    messages = [
        one for start in starts for one in pipeline.push(Block(start, samples[start : start + BLOCK]))
    ]
    return messages + pipeline.flush()


def clip(name: str, model: str = BOTH, *, pitch: float = 1.0) -> NDArray[np.float32]:
    """A clip's sound, at its own `pitch` or another one, with a peak of -10 dBFS."""
    samples, rate = soundfile.read(DATA / name, dtype="float32", always_2d=True)
    wanted = classifier(model).spec.sample_rate
    sound: NDArray[np.float32] = soxr.resample(samples.mean(axis=1), rate * pitch, wanted)
    return sound / np.abs(sound).max() / 3


def noisy(sound: NDArray[np.float32], level_dbfs: float, seed: int) -> NDArray[np.float32]:
    """At this level, and white noise 6 dB below it for as long as it lasts."""
    scaled = sound * 10 ** (level_dbfs / 20) / np.sqrt(np.mean(sound**2))
    noise = np.random.default_rng(seed).normal(0, 10 ** ((level_dbfs - 6) / 20), len(sound))
    return (scaled + noise).astype(np.float32)


def verdict(messages: list[Event], said: str, number: int) -> EventVerdict:
    """What somebody says of the one event of a sound."""
    first = next(one for one in messages if one.label == messages[-1].label)
    assert first.embedding is not None
    network, values = first.embedding.network, first.embedding.values
    return EventVerdict(str(number), first.label.name, said, float(number), values, network, first.top_score)


def told(messages: list[Event], verdicts: list[EventVerdict], model: str = BOTH) -> list[str]:
    """The labels of the events as they are told with verdicts."""
    book = VerdictBook()
    book.exchange(verdicts, classifier(model).spec.labels)
    judged = VerdictStage(book).push(messages)
    return [
        one.label.name
        for one in judged
        if one.phase == "end" and (one.verdict is None or one.verdict.outcome != "veto")
    ]


def test_a_cough_that_is_told_as_speech_is_told_as_a_cough_after_three_verdicts_and_speech_as_speech() -> (
    None
):
    coughs = [heard(noisy(clip(COUGH), level, seed)) for seed, level in enumerate((-40, -43, -46, -40, -35))]
    assert [told(one, []) for one in coughs] == [["Speech"]] * 5
    speech = demo_samples(0.0, 5.2).astype(np.float32) / 32768
    voice = heard(soxr.resample(speech, RATE, classifier(BOTH).spec.sample_rate))
    assert told(voice, []) == ["Speech"]
    verdicts = [verdict(one, "Cough", number) for number, one in enumerate(coughs[:3])]
    assert [told(one, verdicts) for one in coughs[3:]] == [["Cough"]] * 2
    assert told(voice, verdicts) == ["Speech"]
    wrong = [verdict(one, WRONG, number) for number, one in enumerate(coughs[:3])]
    assert [told(one, wrong) for one in [*coughs[3:], voice]] == [[], [], ["Speech"]]


def test_a_cough_that_is_told_as_a_dog_is_not_after_three_verdicts_and_dogs_still_are() -> None:
    known, later = (
        [heard(clip(DEEP_COUGH, "yamnet", pitch=pitch), "yamnet") for pitch in pitches]
        for pitches in ((0.45, 0.6), (0.55, 0.58, 0.62, 0.65))
    )
    dogs = [heard(clip(f"esc10/001 - Dog bark/{name}.ogg", "yamnet"), "yamnet") for name in DOGS]
    assert all("Dog" in told(one, [], "yamnet") for one in known + later + dogs)
    verdicts = [verdict(known[0], WRONG, 1), verdict(known[1], WRONG, 2), verdict(dogs[0], RIGHT, 3)]
    assert not any("Dog" in told(one, verdicts, "yamnet") for one in later)
    assert all(told(one, verdicts, "yamnet") == ["Dog"] for one in dogs)
    without_right = [told(one, verdicts[:2], "yamnet") for one in dogs]
    assert without_right.count(["Dog"]) >= 5
