"""Own sounds: takes recorded and judged, a model trained on them, tried, put to use and taken away again."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from detector.datasets.labelled_clips import BACKGROUND
from detector.web.desk.child_commands import Commands
from detector.web.desk.daemon_orders import DaemonOrders
from detector.web.desk.refusals import Refused
from detector.web.desk.settings_desk import SettingsDesk
from detector.web.desk.take_folder import MOST_TAKES, TakeFolder
from detector.web.desk.take_recorder import TakeRecorder
from detector.web.desk.take_sound import as_take
from detector.web.desk.taught_result import read_result
from detector.web.desk.training_job import GOOD_TAKES, LEAST_TAKES, MODEL, TrainingJob

P = ParamSpec("P")
T = TypeVar("T")

TRY_SECONDS = 120.0
"""How long `analyze` may take for a take."""
NO_SOUND = (
    "The daemon's socket gives no sound. Write {kind: socket, sound: true} into the sinks of the config "
    "file, or add recordings as files."
)
LOW_THRESHOLD = "0.02"
"""With it, a take shows what it is most like."""
MOST_LIKE = 5


class TeachingDesk:
    """What the page's view for own sounds does."""

    def __init__(
        self,
        takes: TakeFolder,
        recorder: TakeRecorder,
        training: TrainingJob,
        settings: SettingsDesk,
        orders: DaemonOrders,
        commands: Commands,
        *,
        models: Path,
        scratch: Path,
        knows_daemon: bool = True,
    ) -> None:
        """`models` is the folder in which the daemon finds heads; `scratch` is for sounds that are tried.

        `knows_daemon` is whether the daemon has the settings that the page reads.
        """
        self.takes = takes
        self.recorder = recorder
        self.training = training
        self._settings = settings
        self._orders = orders
        self._commands = commands
        self._used = models / MODEL
        self._scratch = scratch
        self._knows_daemon = knows_daemon
        self._trying = asyncio.Lock()

    async def state(self) -> dict[str, object]:
        """What `GET /api/v1/teach` answers."""
        allowed = await self._sound_allowed()
        return await asyncio.to_thread(self._state) | {
            "sound_allowed": allowed,
            "why_not": NO_SOUND if allowed is False else None,
        }

    async def add(self, name: str, content: bytes) -> Mapping[str, Any]:
        """Take an upload; raises Refused where it is no good sound."""
        wanted = self.takes.name_of(name)
        kept, suffix = await asyncio.to_thread(as_take, content)
        take = await _writing(self.takes.add, wanted, kept, suffix)
        return await asyncio.to_thread(self.takes.facts, take)

    async def keep(self, id: str) -> Mapping[str, Any]:
        """Keep a take; raises Refused."""
        take = await _writing(self.takes.keep, id)
        return await asyncio.to_thread(self.takes.facts, take)

    async def discard(self, id: str) -> None:
        """Delete a take; raises Refused."""
        self._check_not_learning()
        await _writing(self.takes.discard, id)

    async def forget(self, name: str) -> None:
        """Delete a sound with its takes; the model in use still knows it. Raises Refused."""
        self._check_not_learning()
        await _writing(self.takes.forget, self.takes.name_of(name))

    async def try_take(self, id: str) -> dict[str, object]:
        """What the model says of a take; raises Refused."""
        return await self._tried(self.takes.find(id).path)

    async def try_live(self, seconds: float, source: str | None) -> dict[str, object]:
        """What the model says of the sound that comes now; raises Refused."""
        self._model()
        try:
            path = await self.recorder.recorded_file(source, seconds, self._scratch)
        except OSError as error:
            raise Refused(507, f"the sound cannot be kept: {error.strerror or error}") from error
        try:
            return await self._tried(path)
        finally:
            path.unlink(missing_ok=True)

    async def use(self) -> dict[str, object]:
        """Put the trained model where the daemon finds it, and let it load it; raises Refused."""
        self._check_not_learning()
        if self.training.result is None:
            raise Refused(409, "there is no trained model that is not in use yet: train one first")
        await _writing(self._move_in)
        heads = (await self._settings.values())["model"]["heads"]
        if heads is not None and MODEL not in heads:
            return await self._settings.change({"model.heads": [*heads, MODEL]}, what=f"use of {MODEL}")
        return await self._reloaded(f"{MODEL} is in the folder of models", running=True)

    async def forget_model(self) -> dict[str, object]:
        """Take the model away from the daemon; raises Refused."""
        if not self._used.is_dir():
            raise Refused(409, "no model of own sounds is in use")
        await _writing(self._move_out)
        heads = (await self._settings.values())["model"]["heads"]
        if heads is not None and MODEL in heads:
            left = [name for name in heads if name != MODEL]
            return await self._settings.change({"model.heads": left}, what=f"no use of {MODEL}")
        return await self._reloaded(f"{MODEL} is taken away", running=False)

    async def close(self) -> None:
        """End what goes on."""
        await self.recorder.stop()
        await self.training.cancel()

    def _state(self) -> dict[str, object]:
        used = read_result(self._used)
        learned = used["classes"] if used is not None else []
        names = [name for name in self.takes.names() if name != BACKGROUND]
        return {
            "model": MODEL,
            "background": BACKGROUND,
            "wanted": GOOD_TAKES,
            "least": LEAST_TAKES,
            "most_takes": MOST_TAKES,
            "sounds": [self._sound(name, learned) for name in [*names, BACKGROUND]],
            "pending": [self.takes.facts(take) for take in self.takes.pending()],
            "recording": self.recorder.state(),
            "recording_error": self.recorder.error,
            "training": self.training.state(),
            "result": self.training.result,
            "in_use": used,
            "forgotten": [name for name in learned if name not in names and name != BACKGROUND],
        }

    async def _sound_allowed(self) -> bool | None:
        """Whether a socket in the settings gives sound; None where that cannot be told."""
        if not self._knows_daemon:
            return None
        try:
            sinks = (await self._settings.values())["sinks"]
        except Refused:
            return None
        return any(sink["kind"] == "socket" and sink.get("sound") for sink in sinks or ())

    def _sound(self, name: str, learned: list[str]) -> dict[str, object]:
        count = len(self.takes.kept(name))
        return {
            "name": name,
            "takes": count,
            "seconds": self.takes.seconds(name),
            "learned": name in learned,
            "ready": count >= LEAST_TAKES,
        }

    def _check_not_learning(self) -> None:
        if self.training.is_running:
            raise Refused(409, "a training runs: wait for its end, or stop it")

    def _model(self) -> Path:
        for folder in (self.training.folder, self._used):
            if read_result(folder) is not None:
                return folder
        raise Refused(409, "there is no trained model yet")

    async def _tried(self, path: Path) -> dict[str, object]:
        model = self._model()
        async with self._trying:
            events = await self._analyzed(path, model)
            # Only a low threshold shows what a sound is most like that would not be reported.
            like = events or await self._analyzed(path, model, "--threshold", LOW_THRESHOLD)
        best: dict[str, float] = {}
        for event in like:
            best[event["label"]] = max(event["score"], best.get(event["label"], 0.0))
        ranked = sorted(best.items(), key=lambda item: -item[1])[:MOST_LIKE]
        return {
            "events": events,
            "best": [{"label": label, "score": score} for label, score in ranked],
            "text": _sentence(events, ranked),
        }

    async def _analyzed(self, path: Path, model: Path, *more: str) -> list[dict[str, Any]]:
        """The sounds that the model hears in a file."""
        command = ("analyze", str(path), "--model", str(model), "--format", "jsonl", "--quiet", "--jobs", "1")
        done = await self._commands.run(
            *command, "--gate", "off", "--start-time", "0", *more, seconds=TRY_SECONDS
        )
        if done.code:
            raise Refused(502, done.reason)
        events = [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]
        return [
            {
                "label": event["label"],
                "score": event["top_score"] or 0.0,
                "start": _seconds(event["start_time"]),
                "stop": _seconds(event["end_time"]),
            }
            for event in events
            if event["type"] == "end" and event["label"] != BACKGROUND
        ]

    def _move_in(self) -> None:
        """The new model takes the place of the one in use, which waits to be deleted until it is there."""
        self._used.parent.mkdir(parents=True, exist_ok=True)
        new, old = self._used.with_name(f".{MODEL}-new"), self._used.with_name(f".{MODEL}-old")
        for rest in (new, old):
            shutil.rmtree(rest, ignore_errors=True)
        shutil.copytree(self.training.folder, new)
        if self._used.exists():
            self._used.replace(old)
        new.replace(self._used)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(self.training.folder, ignore_errors=True)

    def _move_out(self) -> None:
        """The model in use becomes the trained one that is not in use, unless there is a newer one."""
        if self.training.result is None:
            shutil.rmtree(self.training.folder, ignore_errors=True)
            shutil.copytree(self._used, self.training.folder)
        gone = self._used.with_name(f".{MODEL}-old")
        shutil.rmtree(gone, ignore_errors=True)
        self._used.replace(gone)
        shutil.rmtree(gone, ignore_errors=True)

    async def _reloaded(self, words: str, *, running: bool) -> dict[str, object]:
        """Let the daemon look into the folder of models, and see whether it did."""
        answer = await self._settings.reloaded(words)
        report = await self._orders.new_report()
        if answer["reloaded"] and report is not None:
            runs = MODEL in str(report.get("model", "")).split("+")
            if runs != running:
                why = "its settings name other heads, or its networks are not those of the training"
                answer["message"] = f"{words}, but the daemon does not run it: {why}"
        return answer


async def _writing(write: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Do what writes files, in a thread; raises Refused where the disk is full or closed."""
    try:
        return await asyncio.to_thread(write, *arguments, **named)
    except OSError as error:
        raise Refused(507, f"it cannot be written: {error.strerror or error}") from error


def _seconds(text: str | None) -> float | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp(), 2)


def _sentence(events: list[dict[str, Any]], ranked: list[tuple[str, float]]) -> str:
    if events:
        names = dict.fromkeys(event["label"] for event in events)
        return f"It hears {' and '.join(names)}."
    if ranked:
        label, score = ranked[0]
        return f"It would report nothing; it is most like {label}, with {score:.2f}."
    return "It hears nothing of yours in it."
