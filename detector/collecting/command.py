"""`sound-detector record`: clips of one sound, from a microphone or a recording, into its class's folder."""

from __future__ import annotations

import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TextIO

from detector.audio.health import HealthMeter
from detector.collecting.collector import CollectedClip, Collector
from detector.collecting.folder import ClipFolder
from detector.collecting.record_display import Display
from detector.collecting.record_request import RATE_HZ, Mode, RecordRequest, make_taker
from detector.datasets.clip_names import check_label, model_name
from detector.datasets.clip_quality import Verdict
from detector.datasets.labelled_clips import BACKGROUND, class_of
from detector.errors import DatasetError, DeviceLost
from detector.interfaces import Source
from detector.service.capture import SourceFailure, blocks_of

BLOCK_SECONDS = 0.1
"""How often the meter moves."""
QUEUE_SECONDS = 5.0
"""Sound that may wait for a slow disk."""
SILENT_SECONDS = 5.0
"""Digital silence for this long gives a note."""
MOST_FAILURES = 5
"""Clips in a row that were not kept: something is wrong that more clips will not change."""

HOW: Mapping[Mode, str] = {
    "countdown": "make the sound at each NOW",
    "triggered": "make the sound, wait a second, make it again",
    "background": "make every other sound of this room (talk, walk, type, close a door, play the radio) "
    "and leave some quiet, but do not make the sound itself",
}


def record(
    request: RecordRequest,
    make_source: Callable[[int, int], Source],
    *,
    clock: Callable[[], float] = time.time,
    lines: TextIO | None = None,
    meter: TextIO | None = None,
) -> int:
    """Collect until there are enough or the source ends; `make_source` takes rate [Hz] and block length.

    Raises ConfigError, SourceError, DatasetError; clips that were kept stay, and the summary is printed.
    """
    check_label(request.label)
    folder = ClipFolder(request.dataset, request.label, began=clock(), sample_rate=RATE_HZ)
    try:
        source = make_source(RATE_HZ, round(BLOCK_SECONDS * RATE_HZ))
        display = Display(
            lines or sys.stdout, meter or sys.stderr, sample_rate=RATE_HZ, live=not source.immediate
        )
        session = _Collecting(request, folder, display, live=source.live)
        try:
            session.run(source)
        finally:
            session.print_summary()
    finally:
        folder.close()
    return 0


class _Collecting:
    """One run of the command."""

    def __init__(self, request: RecordRequest, folder: ClipFolder, display: Display, *, live: bool) -> None:
        self._request = request
        self._folder = folder
        self._display = display
        self._live = live
        self._collector = Collector(
            make_taker(request),
            sample_rate=RATE_HZ,
            longest=round(request.seconds * RATE_HZ),
            room=request.mode == "background",
        )
        self._health = HealthMeter(sample_rate=RATE_HZ, silent_seconds=SILENT_SECONDS)
        self._muted = False
        self._stretch = 0
        self._number = 0
        self._kept = 0
        self._seconds = 0.0
        self._refused: Counter[Verdict] = Counter()
        self._in_a_row = 0

    def run(self, source: Source) -> None:
        """Collect clips to the end of the source, or until there are enough."""
        queue_blocks = round(QUEUE_SECONDS / BLOCK_SECONDS)
        for number, block in enumerate(blocks_of(source, queue_blocks=queue_blocks)):
            if isinstance(block, SourceFailure):  # a clip with a gap in it is no use
                raise DeviceLost(block.reason)
            if number == 0 and self._live:
                self._display.note(
                    f"{HOW[self._request.mode]}; Ctrl-C ends it and keeps the clips made so far"
                )
            if not self._muted and self._live and self._health.push(block) == "constant":
                self._muted = True
                self._display.note(f"{source.name} delivers only digital silence: is it muted or unplugged?")
            for clip in self._collector.push(block):
                self._take(clip)
                if self._enough:
                    return
            self._display.show(self._head, self._collector)
        for clip in self._collector.flush():
            self._take(clip)
        if self._kept == 0 and not self._live:
            raise DatasetError(
                f"{source.name}: it ended before a clip of {self._request.label} was complete"
                if not self._refused
                else f"{source.name}: no clip in it was good enough to keep (--keep-all keeps all)"
            )

    def print_summary(self) -> None:
        """Print the summary, and the next command."""
        request, kept = self._request, self._kept
        refused = ", ".join(f"{count} {verdict.text}" for verdict, count in self._refused.items())
        if not kept and not refused:
            self._display.clear()
            return
        self._display.say(
            f"{kept} clip{'' if kept == 1 else 's'} of {request.label} in {self._folder.path}, "
            f"{self._seconds:.1f} s{f'; not kept: {refused}' if refused else ''}"
        )
        if kept:
            self._display.say(f"next: {next_command(request, self._folder.other_classes())}")

    @property
    def _enough(self) -> bool:
        """Whether there are enough: all clips of the room count, of a sound only those that were kept."""
        done = self._kept + (self._refused.total() if self._request.mode == "background" else 0)
        return self._request.count is not None and done >= self._request.count

    @property
    def _head(self) -> str:
        of = f" of {self._request.count}" if self._request.count is not None else ""
        return f"{self._request.label} {self._kept + 1}{of}"

    def _take(self, clip: CollectedClip) -> None:
        verdict, take = clip.report.verdict, clip.take
        if verdict is Verdict.SILENT or (verdict is not Verdict.GOOD and not self._request.keep_all):
            self._refuse(clip)
            return
        if take.stretch != self._stretch:
            self._stretch, self._number = take.stretch, self._number + 1
        path = self._folder.keep(take.samples, self._number, take.part)
        self._kept += 1
        self._in_a_row = 0
        self._seconds += clip.report.seconds
        self._display.say(f"{path.name}  {clip.report}{_remark(verdict)}")

    def _refuse(self, clip: CollectedClip) -> None:
        verdict = clip.report.verdict
        self._refused[verdict] += 1
        self._in_a_row += 1
        again = "; try again" if self._request.mode == "countdown" else ""
        self._display.say(f"not kept: {verdict.text}  {clip.report}  ({verdict.advice}{again})")
        if self._live and self._request.mode != "triggered" and self._in_a_row >= MOST_FAILURES:
            raise DatasetError(
                f"{self._in_a_row} clips in a row were not kept, the last one because of: {verdict.text}; "
                f"{verdict.advice}"
            )


def next_command(request: RecordRequest, others: list[str]) -> str:
    """The next command: a model needs a sound to recognise, and what else sounds in the room."""
    dataset = str(request.dataset)
    out = "" if dataset == "sounds" else f" --out {shlex.quote(dataset)}"
    if request.mode == "background" and not others:
        return f"sound-detector record LABEL{out}   (the sound to recognise)"
    if request.mode != "background" and not any(class_of(name) == BACKGROUND for name in others):
        return f"sound-detector record background{out}   (the other sounds of the room)"
    name = others[0] if request.mode == "background" else request.label
    return f"sound-detector train {shlex.quote(dataset)} --out models/{model_name(name)}"


def _remark(verdict: Verdict) -> str:
    return "" if verdict is Verdict.GOOD else f"  ({verdict.text}: {verdict.advice})"
