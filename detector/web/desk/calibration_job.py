"""`calibrate` for the page: the daemon's live sound goes to the command, whose proposal can be applied."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from detector.config import yamltext
from detector.config.text_edit import value_at
from detector.files.daemon_files import make_folder
from detector.web.desk.background_job import BackgroundJob
from detector.web.desk.child_commands import Commands, RunningCommand
from detector.web.desk.heard_sound import live_sound
from detector.web.desk.refusals import Refused
from detector.web.desk.settings_desk import SettingsDesk
from detector.web.shared_feeds import SharedFeeds

LEAST_SECONDS, MOST_SECONDS = 60.0, 3600.0
REPORT_SECONDS = 300.0
"""How long the command may take for its report, once it has heard everything."""
REPORT_LINES = 200


class CalibrationJob:
    """One calibration at a time."""

    def __init__(
        self, settings: SettingsDesk, commands: Commands, feeds: SharedFeeds, *, scratch: Path
    ) -> None:
        """`scratch` is a folder for what the command writes."""
        self._settings = settings
        self._commands = commands
        self._feeds = feeds
        self._scratch = scratch
        self._job = BackgroundJob("a calibration")
        self._wanted = 0.0
        self._heard = 0.0
        self._source: str | None = None
        self._report: list[str] = []
        self._proposal: dict[str, Any] | None = None
        self._applied = False
        self._enough = asyncio.Event()

    def state(self) -> dict[str, object]:
        """What `GET /api/v1/calibrate` answers."""
        if self._job.state == "none":
            return {"state": "none"}
        return {
            "state": self._job.state,
            "seconds": self._wanted,
            "heard": round(self._heard, 1),
            "source": self._source,
            "error": self._job.error,
            "report": self._report,
            "proposal": self._proposal,
            "applied": self._applied,
        }

    async def start(self, seconds: float, source: str | None) -> dict[str, object]:
        """Begin to listen; raises Refused where one runs already."""
        self._job.check_free()
        self._wanted, self._heard, self._source = seconds, 0.0, source
        self._report, self._proposal, self._applied = [], None, False
        self._enough = asyncio.Event()
        self._job.begin(self._run())
        return self.state()

    def finish(self) -> dict[str, object]:
        """Listen no longer: the result is of what was heard; raises Refused where nothing goes on."""
        if not self._job.is_running:
            raise Refused(409, "no calibration runs")
        if self._heard < LEAST_SECONDS:
            raise Refused(409, f"it has heard {self._heard:.0f} s, and needs {LEAST_SECONDS:.0f} s")
        self._enough.set()
        return self.state()

    async def cancel(self) -> dict[str, object]:
        """End it without a result."""
        await self._job.cancel()
        return self.state()

    async def apply(self) -> dict[str, object]:
        """Write the proposal to the config file; raises Refused."""
        if self._job.state != "done" or self._proposal is None or not self._proposal["changes"]:
            raise Refused(409, "there is no proposal to apply")
        if self._applied:
            raise Refused(409, "this proposal was applied already")
        answer = await self._settings.change(self._proposal["changes"], what="calibration")
        self._applied = True
        return answer

    async def _run(self) -> None:
        values = await self._settings.values()
        make_folder(self._scratch)
        with tempfile.TemporaryDirectory(dir=self._scratch, prefix="calibrate-") as folder:
            out = Path(folder, "calibrated.yaml")
            command = await self._listen(out)
            try:
                command.end_input()
                async with asyncio.timeout(REPORT_SECONDS):
                    finished = await command.finished()
            except TimeoutError:
                raise Refused(502, "the calibration did not come to an end") from None
            finally:
                if command.is_running:
                    await command.stop()
            if finished.code:
                raise Refused(502, finished.reason)
            self._report = _report_of(finished.err)
            written = out.read_text(encoding="utf-8") if out.exists() else ""
        changes = changes_of(written, values) if written else {}
        rows = [row_of(key, value, values) for key, value in changes.items()]
        self._proposal = {"changes": changes, "rows": rows, "nothing": not changes}

    async def _listen(self, out: Path) -> RunningCommand:
        """Start the command with the first sound, and hand it as much as is wanted."""
        command: RunningCommand | None = None
        try:
            async with aclosing(live_sound(self._feeds, self._source)) as blocks:
                async for block in blocks:
                    if command is None:
                        command = await self._start(out, block.rate)
                    self._heard += block.seconds
                    taken = await command.write(block.data)
                    if not taken or self._heard >= self._wanted or self._enough.is_set():
                        return command
        except BaseException:
            if command is not None:
                await command.stop()
            raise
        raise Refused(502, "the daemon's sound has ended")

    async def _start(self, out: Path, rate: int) -> RunningCommand:
        path = self._settings.path
        config = ("--config", str(path)) if path.exists() else ()
        sound = ("--input", "-", "--set", f"source.rate={rate}", "--set", "source.channels=1")
        return await self._commands.start(
            "calibrate", *config, *sound, "--out", str(out), "--quiet", takes_input=True
        )


def changes_of(written: str, values: Mapping[str, Any]) -> dict[str, object]:
    """The settings that a calibrated file has otherwise than `values`, all settings in force, has them."""
    document, _ = yamltext.parse(written)
    data = document.data if isinstance(document.data, dict) else {}
    changes: dict[str, object] = {}
    labels = value_at(data, ("events", "labels"))
    labels = labels if isinstance(labels, dict) else {}
    before: Mapping[str, Mapping[str, object]] = values["events"]["labels"]
    for name in {**before, **labels}:
        for last in ("threshold_on", "threshold_off"):
            now = labels[name].get(last) if isinstance(labels.get(name), dict) else None
            if now != before.get(name, {}).get(last):
                changes[f"events.labels.{name}.{last}"] = now
    for key in ("events.exclude", "gate.min_level_dbfs"):
        section, last = key.split(".")
        now = value_at(data, (section, last))
        if now is not None and now != values[section][last]:
            changes[key] = now
    return changes


def row_of(key: str, value: object, values: Mapping[str, Any]) -> dict[str, object]:
    """One change for people: what it is about, and the value before and after."""
    if key.startswith("events.labels."):
        label, _, last = key.removeprefix("events.labels.").rpartition(".")
        return {
            "key": key,
            "label": label,
            "before": values["events"]["labels"].get(label, {}).get(last),
            "after": value,
        }
    section, last = key.split(".")
    return {"key": key, "label": None, "before": values[section][last], "after": value}


def _report_of(said: str) -> list[str]:
    """What the command said for people: without what only the command line needs."""
    lines = [line.rstrip() for line in said.splitlines()]
    kept = [line for line in lines if not line.startswith(("written:", "try it:", "sound-detector:"))]
    while kept and not kept[0]:
        kept.pop(0)
    while kept and not kept[-1]:
        kept.pop()
    return kept[:REPORT_LINES]
