"""A live source that the worker is late with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detector.assemble.stages import make_pipeline
from detector.config.settings import EventSettings, GateSettings, LevelSettings, Preset, Settings
from detector.records import Block, Window
from detector.service.source_channel import SourceChannel
from detector.wire.message import EventBody
from tests.support.fakes import FakeClassifier, FakeSource, cut, make_spec

RATE = 16000
BLOCK = 1920
HOP = 2 * BLOCK
ROOM = np.random.default_rng(0).normal(0, 30, 30 * RATE).astype(np.int16)
SOUND = np.random.default_rng(1).normal(0, 3000, 6 * RATE).astype(np.int16)


def loudness(window: Window) -> list[float]:
    return [float(np.abs(window.samples).max() > 0.05)]


class Late:
    """A live source whose blocks are taken so late; time goes on with the blocks."""

    def __init__(self, *, name: str = "fake", preset: Preset = "home", live: bool = True) -> None:
        self.classifier = FakeClassifier(make_spec("Siren"), loudness)
        settings = Settings(
            gate=GateSettings(mode="off"),
            level=LevelSettings(enabled=False),
            events=EventSettings(preset=preset),
        )
        self.source = FakeSource([], live=live)
        self.source.name = name
        self.channel = SourceChannel(
            source=self.source,
            pipeline=make_pipeline(settings, self.classifier),
            sample_rate=RATE,
            event_ids="run",
            queue_blocks=9,
        )
        self.at = 0
        self.labels: list[str] = []

    def hear(self, *pieces: NDArray[np.int16], late: float) -> None:
        for block in cut(np.concatenate(pieces), BLOCK, start=self.at):
            assert isinstance(block, Block)
            self.at = block.stop
            self.channel.capture.arrived_at = block.stop / RATE
            for body in self.channel.take(block, block.stop / RATE + late):
                if isinstance(body, EventBody):
                    self.labels.append(body.kind)

    @property
    def distances(self) -> set[int]:
        return set(np.diff(self.classifier.stops).tolist())
