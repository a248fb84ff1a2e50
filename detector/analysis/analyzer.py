"""One recording through one pipeline: events, files, summary; in a worker process, without threads."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Protocol

from detector.analysis.formats import PARQUET, SCORES
from detector.analysis.formats.parquet import ENDING as TABLES_ENDING
from detector.analysis.formats.parquet import EventTables, source_of
from detector.analysis.formats.scores import ENDING as SCORES_ENDING
from detector.analysis.formats.scores import ScoresFile
from detector.analysis.outputs import PAGE_ENDING, PART, PICTURE_ENDING, Outputs
from detector.analysis.overview import Overview
from detector.analysis.sounds import InOrder, Longest, Sound
from detector.analysis.summary import Summary, Tallying
from detector.analysis.task import Done, Task
from detector.events.groups import named_group
from detector.events.naming import shared_names
from detector.events.naming import shown as shown_name
from detector.events.timeline import Timeline
from detector.interfaces import Stage
from detector.records import Block, Event, Label, ModelSpec, Scores
from detector.remote.remote_file import RemoteFile, RemotePath
from detector.sources.recording import Recording, length_and_start
from detector.sources.sound_place import Place
from detector.wire.encoding import encode
from detector.wire.message import event_body, run_id_text

ALARMS = "alarms"
"""The group whose labels come first in the picture of a page."""

TELL_SECONDS = 10.0
"""Sound between two reports of progress."""

Tell = Callable[[float, float], None]
"""Takes the share of the recording that is done, 0..1, and its seconds."""


class Pipelines(Protocol):
    """Makes a pipeline for each recording; all recordings of a worker share one classifier."""

    @property
    def spec(self) -> ModelSpec:
        """The model's."""

    @property
    def reported(self) -> Sequence[Label]:
        """What events may carry."""

    def gated(self) -> Stage[Block, Event]:
        """As the daemon's."""

    def scored(self, keep: Callable[[Scores], None]) -> Stage[Block, Event]:
        """As the daemon's, beside one without a gate whose scores of every window are given to `keep`."""


class Analyzer:
    """Analyzes recordings, one after the other."""

    def __init__(self, pipelines: Pipelines) -> None:
        self._pipelines = pipelines
        self._rate = pipelines.spec.sample_rate
        self._shared = shared_names(label.name for label in pipelines.reported)
        group = named_group(ALARMS)
        self._alarms = frozenset(
            shown_name(label, self._shared)
            for label in pipelines.reported
            if group is not None and group.holds(label)
        )

    def __call__(self, task: Task, tell: Tell) -> Done:
        """Write what is wanted of one recording; raises DetectorError, and then leaves nothing behind."""
        with opened_place(task.recording.path) as place:
            return self._analyze(task, place, tell)

    def _analyze(self, task: Task, place: Place, tell: Tell) -> Done:
        recording, wanted = task.recording, task.wanted
        length, start = length_and_start(place)
        start = start if task.start is None else task.start
        source = str(recording.path)
        folder = Path(task.folder)
        tables = None
        if PARQUET in wanted.formats:
            gathering = folder / (recording.name + TABLES_ENDING + PART)
            tables = EventTables(folder, gathering, source=source_of(recording.name, place), start=start)
        outputs = Outputs(
            folder,
            recording.name,
            wanted,
            source=source,
            timed=start is not None,
            shared=self._shared,
            tables=tables,
        )
        with ExitStack() as stack:
            stack.enter_context(outputs)
            scores = None
            if SCORES in wanted.formats:
                scores = ScoresFile(
                    outputs.ending(SCORES_ENDING), self._pipelines.spec.labels, sample_rate=self._rate
                )
                stack.callback(scores.discard)
            pipeline = self._pipelines.scored(scores.push) if scores else self._pipelines.gated()
            overview = Overview(sample_rate=self._rate) if wanted.pictures else None
            run = _RecordingRun(
                outputs, pipeline, source=source, start=start, sample_rate=self._rate, shared=self._shared
            )
            # Blocks of a second: how sound is cut makes no difference to its events.
            opened = Recording(path=place, name=source, sample_rate=self._rate, block_length=self._rate)
            stack.enter_context(closing(opened))
            for block in opened.blocks():
                if overview is not None:
                    overview.push(block)
                if run.push(block):
                    tell(min(1.0, run.seconds / length) if length else 0.0, run.seconds)
            summary = run.finish()
            if scores is not None:
                scores.close()
            if overview is not None:
                self._draw(outputs, task, overview, run.longest, summary)
            return Done(summary, outputs.commit(), opened.damage)

    def _draw(
        self, outputs: Outputs, task: Task, overview: Overview, longest: Longest, summary: Summary
    ) -> None:
        from detector.analysis.page import Page, address_from, page_html

        shown = longest.sounds()
        spectrogram = overview.finish()
        if task.wanted.plot:
            from detector.analysis.picture import draw

            png = draw(spectrogram, shown, summary, title=task.recording.name)
            outputs.ending(PICTURE_ENDING).write_bytes(png)
        if task.wanted.report:
            path = outputs.ending(PAGE_ENDING)
            page = Page(
                name=task.recording.name,
                source=str(task.recording.path),
                model=self._pipelines.spec.name,
                summary=summary,
                sounds=shown,
                count=longest.count,
                spectrogram=spectrogram,
                recording=address_from(path, task.recording.path),
                alarms=self._alarms,
            )
            path.write_text(page_html(page), encoding="utf-8", errors="replace")


@contextmanager
def opened_place(path: Path | RemotePath) -> Iterator[Place]:
    """What to read a recording from; of one elsewhere, nothing stays in memory or on this machine."""
    if isinstance(path, Path):
        yield path
    else:
        with closing(RemoteFile(path)) as file:
            yield file


class _RecordingRun:
    """The events of one recording while it is read, and what is made of them."""

    def __init__(
        self,
        outputs: Outputs,
        pipeline: Stage[Block, Event],
        *,
        source: str,
        start: float | None,
        sample_rate: int,
        shared: Collection[str],
    ) -> None:
        self._outputs = outputs
        self._pipeline = pipeline
        self._source = source
        self._rate = sample_rate
        began = start or 0.0
        self._timeline = Timeline(sample_rate=sample_rate, start=began)
        # The same recording gets the same ids whenever it is analyzed.
        self._run_id = run_id_text(began, zlib.crc32(source.encode("utf-8", "surrogateescape")))
        self._order = InOrder(sample_rate=sample_rate, shared=shared)
        self._tallying = Tallying(start=start)
        self._seq = 0
        self._told = 0.0
        self._stop = 0
        self.longest = Longest()

    @property
    def seconds(self) -> float:
        """Length of the sound analyzed so far."""
        return self._stop / self._rate

    def push(self, block: Block) -> bool:
        """Analyze a block; returns whether progress should be reported."""
        self._stop = block.stop
        for event in self._pipeline.push(block):
            self._tell(event)
        due = self.seconds - self._told >= TELL_SECONDS
        if due:
            self._told = self.seconds
        return due

    def finish(self) -> Summary:
        for event in self._pipeline.flush():
            self._tell(event)
        for sound in self._order.flush():
            self._keep(sound)
        return self._tallying.end(self.seconds)

    def _tell(self, event: Event) -> None:
        self._seq += 1
        body = event_body(
            event,
            to_utc=self._timeline.utc,
            sample_rate=self._rate,
            source=self._source,
            run_id=self._run_id,
        )
        self._outputs.event(encode(body, self._seq))
        for sound in self._order.push(event, body):
            self._keep(sound)

    def _keep(self, sound: Sound) -> None:
        self._outputs.sound(sound)
        self._tallying.add(sound.label, sound.onset, sound.offset)
        self.longest.push(sound)
