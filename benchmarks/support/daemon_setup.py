"""The daemon that is measured: its command, and the same settings for a pipeline in this process.

Model, rate and settings are said here alone. What runs in this process reads its settings from the daemon's
own command line, so that the two cannot differ.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from detector import modelstore
from detector.assemble.stages import load_model, with_resolved_model
from detector.assemble.variants import PipelineMaker, recording_opener
from detector.audition.side_by_side import run_recording
from detector.cli.parser import make_parser
from detector.cli.setting_options import setting_options
from detector.config.settings import Preset, Settings
from detector.records import Event

PROGRAM = (sys.executable, "-m", "detector")


@dataclass(frozen=True, slots=True)
class PlayedRecording:
    """What a recording gave in this process."""

    events: list[Event]
    """All phases, in the order of their decision."""
    sample_rate: int
    """Of the model, in which the events count samples [Hz]."""


@dataclass(frozen=True, slots=True)
class DaemonSetup:
    """A model and a preset; whatever else the user of this machine has set does not count."""

    model: str = "auto"
    """`auto` is the program's default: both networks where they have been pulled."""
    preset: Preset = "home"

    @property
    def name(self) -> str:
        """What a table calls it: `daemon`, `daemon --model yamnet`."""
        return "daemon" if self.model == "auto" else f"daemon --model {self.model}"

    @property
    def title(self) -> str:
        """The same with the preset: `daemon, home`."""
        return f"{self.name}, {self.preset}"

    def command(self, *arguments: str) -> list[str]:
        """Command of the real program, with events as JSON on standard output."""
        sink = [] if "--sink" in arguments else ["--sink", "stdout"]
        own = ["--config", os.devnull, "--model", self.model, "--preset", self.preset]
        own += ["--set", "model.heads=[]"]  # a head in the user's models folder is no part of the default
        return [*PROGRAM, "run", *own, *arguments, *sink, "--format", "json"]

    def settings(self) -> Settings:
        """What the program reads from that command, with the model that would run now by its name."""
        options = make_parser().parse_args(self.command()[len(PROGRAM) :])
        return with_resolved_model(setting_options(options).load().settings, modelstore.ModelCatalogue())

    def play(self, recording: Path) -> PlayedRecording:
        """Run a recording through the same pipeline in this process."""
        settings = self.settings()
        model = load_model(settings, modelstore.ModelCatalogue())
        source = recording_opener(settings, model.spec)(recording)
        _, outputs = run_recording(source, model.classifier, {"": PipelineMaker(settings, model.heads)})
        model.close()
        return PlayedRecording(outputs[""].events, model.spec.sample_rate)


DEFAULT = DaemonSetup()
YAMNET = DaemonSetup(model="yamnet")
