"""How often steady sounds make an alarm-type label fire: an hour of each, through the pipeline as it is.

Alarm-type labels and their kinds must fire less than 0.5 times per hour in each sound. Beside the counts:
the threshold that would have kept a label silent, which is the highest score that two consecutive windows
both reached. The sounds are made at 16 kHz, also for a model that wants more.

    python -m benchmarks.quality.false_alarms [--seconds 3600] [--only "pink noise"] [--set KEY=VALUE]
        [--json FILE]
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soxr

from benchmarks.quality.steady_sounds import sounds, stream
from benchmarks.support.report import table
from benchmarks.support.sounds import RATE, quantised
from detector import modelstore
from detector.assemble.endpoints import SINK_KINDS
from detector.assemble.stages import make_pipeline, with_resolved_model
from detector.config.loading import load_settings
from detector.config.settings import Settings
from detector.interfaces import Classifier
from detector.modelstore import ModelCatalogue
from detector.records import Event, ModelSpec, Scores, Window
from detector.sources.cutting import Cutter

ALARMS = (
    *("Smoke detector, smoke alarm", "Fire alarm", "Glass", "Shatter", "Baby cry, infant cry"),
    *("Gunshot, gunfire", "Screaming", "Siren", "Police car (siren)", "Ambulance (siren)"),
    *("Fire engine, fire truck (siren)", "Dog"),
)
"""And their kinds."""
MOST_PER_HOUR = 0.5
MOST_NAMED = 6
BLOCK_SECONDS = 0.12
"""Half a hop."""


class Watching:
    """A classifier that remembers, for each label, the highest score of two consecutive windows."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._last: Scores | None = None
        self.highest = np.zeros(len(classifier.spec.labels), dtype=np.float32)

    @property
    def spec(self) -> ModelSpec:
        """The model's."""
        return self._classifier.spec

    def scores(self, window: Window) -> Scores:
        """As the model says."""
        scores = self._classifier.scores(window)
        last, self._last = self._last, scores
        if last is not None and scores.span.stop - last.span.stop <= scores.span.length:
            np.maximum(self.highest, np.minimum(last.values, scores.values), out=self.highest)
        return scores

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Result:
    """One sound."""

    sound: str
    hours: float
    windows: int
    """Classified."""
    events: dict[str, int]
    """Label -> events, the most frequent first."""
    alarms: dict[str, int]
    """The alarm-type labels among them."""
    highest: dict[str, float]
    """Alarm-type label -> the highest score that two consecutive windows both reached."""
    moments: list[tuple[str, float, float]]
    """Alarm-type label, second at which it was decided, score."""


HEAD = ["an hour of", "windows classified", "events per hour", "most often", "alarm-type labels per hour"]
ALARM_HEAD = ["alarm-type label", "sound", "per hour", "highest of two windows"]


def main() -> None:
    """Print one table of events and one of alarm-type labels."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.false_alarms", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--only", action="append", default=[], choices=list(sounds()))
    parser.add_argument("--set", action="append", default=[], dest="set_expressions", metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path, help="also write the counts and moments there")
    arguments = parser.parse_args()
    settings = load_settings(
        environ={}, sink_kinds=SINK_KINDS, set_expressions=arguments.set_expressions
    ).settings
    settings = with_resolved_model(settings, ModelCatalogue())
    results = [measure(name, arguments.seconds, settings) for name in arguments.only or sounds()]
    print(table([HEAD, *map(row, results)]))
    print(table([ALARM_HEAD, *alarm_rows(results)]))
    worst = max((count / r.hours for r in results for count in r.alarms.values()), default=0.0)
    print(f"most per hour: {worst:.2f}; {'met' if worst < MOST_PER_HOUR else 'MISSED'} (< {MOST_PER_HOUR})")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=1))


def measure(name: str, seconds: float, settings: Settings) -> Result:
    """Send the sound through the pipeline and count the events that start."""
    model = settings.model
    watching = Watching(modelstore.load_classifier(model.name, runtime=model.runtime, threads=model.threads))
    pipeline = make_pipeline(settings, watching)
    rate = watching.spec.sample_rate
    resampler = soxr.ResampleStream(RATE, rate, 1, dtype="float64")
    cutter = Cutter(block_length=round(BLOCK_SECONDS * rate), sample_rate=rate)
    told: list[Event] = []
    for piece in stream(name, seconds):
        for block in cutter.push(quantised(resampler.resample_chunk(piece))):
            told += pipeline.push(block)
    for block in cutter.flush():
        told += pipeline.push(block)
    events = [event for event in told + pipeline.flush() if event.phase == "start"]
    labels = watching.spec.labels
    ids = {label.class_id for label in labels if label.name in ALARMS}
    highest = {
        label.name: round(float(score), 3)
        for label, score in zip(labels, watching.highest, strict=True)
        if label.class_id in ids or label.ancestors & ids
    }
    counts = Counter(event.label.name for event in events)
    return Result(
        sound=name,
        hours=seconds / 3600,
        windows=pipeline.counts.windows,
        events=dict(counts.most_common()),
        alarms={label: count for label, count in counts.items() if label in highest},
        highest=highest,
        moments=[
            (event.label.name, round(event.decided / rate, 2), round(event.top_score, 3))
            for event in events
            if event.label.name in highest
        ],
    )


def row(result: Result) -> list[str]:
    """One sound."""
    hours = result.hours
    most = list(result.events.items())[:MOST_NAMED]
    return [
        result.sound,
        str(result.windows),
        f"{sum(result.events.values()) / hours:.1f}",
        ", ".join(f"{label} {count / hours:.0f}" for label, count in most) or "–",
        f"{sum(result.alarms.values()) / hours:.1f}",
    ]


def alarm_rows(results: Sequence[Result]) -> list[list[str]]:
    """The alarm-type labels that fired, the most frequent first."""
    fired = sorted(
        ((count / r.hours, label, r) for r in results for label, count in r.alarms.items()),
        key=lambda one: -one[0],
    )
    return [[label, r.sound, f"{rate:.1f}", f"{r.highest[label]:.2f}"] for rate, label, r in fired]


if __name__ == "__main__":
    main()
