"""Everything that `sound-detector calibrate` needs: the settings as they are, and with changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detector import modelstore
from detector.assemble.endpoints import make_source
from detector.assemble.settings_edit import changed_from_default, read_back, with_changes
from detector.assemble.source_channels import block_length
from detector.assemble.stages import (
    FRAME_SECONDS,
    hangover_length,
    hop_length,
    load_model,
    make_detectors,
    make_grid,
    make_label_map,
    make_label_rules,
    make_level_history,
    make_pipeline,
    make_tracker,
    rest_length,
    samples,
    select,
    with_resolved_model,
)
from detector.assemble.variants import classifying_everything
from detector.audio.framing import Framer
from detector.audio.gate import Gate
from detector.audio.level import Level, LevelMeter
from detector.calibration.calibration_setup import LIVE_SECONDS, CalibrateRequest, Tuning
from detector.calibration.command import calibrate
from detector.calibration.floor import FloorSearch
from detector.calibration.log_replay import LogReplay
from detector.calibration.proposal import Change
from detector.calibration.room_statistics import LabelVotes, RoomStatistics
from detector.calibration.sound_log import StreamLogger
from detector.config.config_text import Key, config_text
from detector.config.loading import Loaded
from detector.config.settings import Settings
from detector.events.presets import PRESETS
from detector.interfaces import Source, Vad
from detector.pipeline import DetectionStage, Pipeline
from detector.records import Block, ModelSpec, Scores, Span


def calibrate_command(request: CalibrateRequest, loaded: Loaded) -> int:
    """Do what `sound-detector calibrate` was asked."""
    setup = RoomSetup(loaded, inputs=request.inputs, keep=request.keep)
    if request.seconds is None and any(source.live for source in setup.sources):
        request = replace(request, seconds=LIVE_SECONDS)
    return calibrate(request, setup)


class RoomSetup:
    """Fills `calibration.calibration_setup.CalibrationSetup` from settings."""

    def __init__(self, loaded: Loaded, *, inputs: Sequence[str], keep: Sequence[str]) -> None:
        self._users = loaded.settings
        catalogue = modelstore.ModelCatalogue()
        self._settings = with_resolved_model(loaded.settings, catalogue)
        self.origin = f"the settings of {loaded.path}" if loaded.path else "the default settings"
        selected = select(self._settings, catalogue)
        with loaded.locating_errors():
            self._labels = make_label_map(self._settings.events, selected.spec)
            rules = make_label_rules(self._settings.events, self._labels, selected.spec)
        self.kept = frozenset(index for name in keep for index in self._labels.find_all("--keep", name))
        self._model = load_model(self._settings, catalogue)
        count = len(self._labels.reported)  # excluded labels compete too, but need no threshold
        self.tuning = Tuning(
            self._labels.reported,
            rules.threshold_on[:count],
            rules.threshold_off[:count],
            self._settings.gate.min_level_dbfs,
        )
        source = replace(self._settings.source, realtime=False)
        wanted = [replace(source, input=path, name=None) for path in inputs] or [source]
        block = block_length(hop_length(self._settings, self.spec), self.spec.sample_rate)
        self.sources: Sequence[Source] = [
            make_source(one, sample_rate=self.spec.sample_rate, block_length=block) for one in wanted
        ]

    @property
    def spec(self) -> ModelSpec:
        """The model's description, heads included."""
        return self._model.spec

    def make_logger(self) -> StreamLogger:
        """Build the logger of one stream."""
        rate = self.spec.sample_rate
        frame = round(FRAME_SECONDS * rate)
        vads, level_detector = make_detectors(self._settings.gate, self.spec)

        def is_active(frame: Block, level: Level, /) -> bool:
            active = [vad.is_active(frame) for vad in vads]  # each keeps a state, so all see every frame
            return (level_detector is not None and level_detector.is_active(level)) or any(active)

        return StreamLogger(
            framer=Framer(frame_length=frame),
            meter=LevelMeter(sample_rate=rate, frame_length=frame),
            is_active=is_active,
            make_pipeline=self._ungated,
        )

    def make_statistics(self) -> RoomStatistics:
        """Build the statistics of the room, empty."""
        preset = PRESETS[self._settings.events.preset]
        votes = LabelVotes(
            self._reported_scores,
            self.tuning.on,
            needed=preset.needed,
            of=preset.of,
            hop=hop_length(self._settings, self.spec),
        )
        return RoomStatistics(votes, FloorSearch(hangover=hangover_length(self._settings.gate, self.spec)))

    def _reported_scores(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (model outputs,) -> scores (reported labels,)."""
        return self._labels.apply(values)[: len(self.tuning.labels)]

    def replay(self) -> LogReplay:
        """Build the replay of a log under the settings in force."""
        return Trial(self._settings, self.spec, {}, {}).replay()

    def compose(self, changes: Sequence[Change], floor: float | None) -> Trial:
        """Apply changes to the user's settings; raises ConfigError where they cannot be read back."""
        changed, keys = with_changes(self._users, self._labels, changes)
        if floor is not None:
            changed = replace(changed, gate=replace(changed.gate, min_level_dbfs=floor))
        tree = changed_from_default(changed, Settings())
        read = read_back(config_text([], tree, {}))
        heads = replace(read.model, heads=self._settings.model.heads)
        return Trial(replace(read, model=heads), self.spec, tree, keys)

    def _ungated(self, keep: Callable[[Scores], None]) -> Pipeline:
        return make_pipeline(
            classifying_everything(self._settings), self._model.classifier, self._model.heads, keep=keep
        )


@dataclass(frozen=True)
class Trial:
    """Fills `calibration.calibration_setup.TrialSettings`."""

    settings: Settings
    spec: ModelSpec
    tree: dict[str, object]
    keys: dict[int, Key]

    def replay(self) -> LogReplay:
        """Build the replay of a log under these settings."""
        return LogReplay(self._stage)

    def _stage(self, vad: Vad, score: Callable[[Span], Scores]) -> DetectionStage:
        settings, spec = self.settings, self.spec
        history = make_level_history(spec)
        return DetectionStage(
            gate=Gate(
                vads=[] if settings.gate.mode == "off" else [vad],
                level_detector=None,
                hangover=hangover_length(settings.gate, spec),
                rest=rest_length(spec),
                min_level_dbfs=settings.gate.min_level_dbfs,
            ),
            grid=make_grid(settings, spec),
            history=history,
            tracker=make_tracker(settings, spec, make_label_map(settings.events, spec), history),
            gap_limit=samples(settings.events.release_seconds, spec),
            score=score,
        )
