"""`train` for the page: one at a time, in a process of its own, with its progress and its result."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from detector.datasets.labelled_clips import BACKGROUND
from detector.files.daemon_files import make_folder
from detector.web.desk.background_job import BackgroundJob
from detector.web.desk.child_commands import Commands
from detector.web.desk.refusals import Refused
from detector.web.desk.take_folder import TakeFolder
from detector.web.desk.taught_result import read_result, result_of, save_result

MODEL = "my-sounds"
"""One head knows all sounds that were taught on the page."""
LEAST_TAKES = 2
"""One to learn from, one to try."""
GOOD_TAKES = 10
NETWORKS = ("yamnet", "mn04")
"""Those whose embeddings a head can read, in the order of their names together."""


def base_flags(model_name: str) -> tuple[str, ...]:
    """The flags of `train` for a head that the daemon's networks can run; none where `train` knows best."""
    networks = [name for name in NETWORKS if name in model_name.split("+")]
    return ("--base", "+".join(networks)) if networks else ()


class TrainingJob:
    """Makes the model of the taught sounds, in a folder where the daemon does not look."""

    def __init__(
        self,
        takes: TakeFolder,
        commands: Commands,
        folder: Path,
        *,
        clock: Callable[[], float],
        model_name: Callable[[], Awaitable[str]],
    ) -> None:
        """`folder` gets the new model; it is replaced as a whole. `model_name` asks for `model.name`."""
        self._takes = takes
        self._commands = commands
        self.folder = folder
        self._clock = clock
        self._model_name = model_name
        self._job = BackgroundJob("a training")
        self._began = 0.0
        self._progress: dict[str, Any] = {}
        self._facts: dict[str, Any] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self._job.is_running

    @property
    def result(self) -> dict[str, Any] | None:
        """What the newest model is like; None where there is none that is not in use."""
        return read_result(self.folder)

    def state(self) -> dict[str, object]:
        """How far it is."""
        return {
            "state": self._job.state,
            "step": self._progress.get("step", ""),
            "done": self._progress.get("done", 0),
            "total": self._progress.get("total", 0),
            "seconds": round(time.monotonic() - self._began, 1) if self._job.is_running else None,
            "error": self._job.error,
        }

    def start(self) -> dict[str, object]:
        """Begin; raises Refused where one runs already, or there is too little to learn from."""
        self._job.check_free()
        if fault := self._too_little():
            raise Refused(422, fault)
        self._began, self._progress, self._facts = time.monotonic(), {}, None
        self._job.begin(self._run())
        return self.state()

    async def cancel(self) -> dict[str, object]:
        """Stop it; an earlier result stays."""
        await self._job.cancel()
        return self.state()

    def _too_little(self) -> str:
        counts = {name: len(self._takes.kept(name)) for name in self._takes.names()}
        counts = {name: count for name, count in counts.items() if count}
        if not counts.keys() - {BACKGROUND}:
            return "there is no take of a sound to learn: record some, and keep them"
        few = [name for name, count in counts.items() if count < LEAST_TAKES]
        if few:
            return f"{' and '.join(few)}: one take is too few to learn from; record at least one more"
        if len(counts) < 2:
            return "it needs to know what else sounds there: record the background too"
        return ""

    async def _run(self) -> None:
        make_folder(self.folder.parent)
        made = self.folder.parent / "new" / self.folder.name
        shutil.rmtree(made.parent, ignore_errors=True)
        base = base_flags(await self._model_name())
        arguments = ("train", str(self._takes.path), "--out", str(made), "--json", "--jobs", "1", *base)
        command = await self._commands.start(*arguments, on_output=self._note)
        try:
            finished = await command.finished()
            if self._facts is None:
                raise Refused(502, finished.reason)
            save_result(made, result_of(self._facts, self._clock()))
            shutil.rmtree(self.folder, ignore_errors=True)
            made.replace(self.folder)
        finally:
            if command.is_running:
                await command.stop()
            shutil.rmtree(made.parent, ignore_errors=True)

    def _note(self, line: str) -> None:
        """Take a line of the command's output: progress, or the result."""
        try:
            found = json.loads(line)
        except ValueError:
            return
        if isinstance(found, dict) and isinstance(found.get("result"), dict):
            self._facts = found["result"]
        elif isinstance(found, dict):
            self._progress = found
