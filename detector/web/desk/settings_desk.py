"""The settings as the page sees and changes them, with the checks of `check-config`, preview and undo."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from detector.config import yamltext
from detector.config.config_file import ChangedMeanwhile, ConfigFile, ConfigText, NotWritable
from detector.config.page_settings import (
    PLAIN,
    default_of,
    needs_restart,
    page_faults,
    page_fields,
    page_values,
    path_of,
)
from detector.config.text_edit import value_at, with_value, without_key
from detector.errors import ConfigError
from detector.web.desk.config_checker import ConfigChecker
from detector.web.desk.daemon_orders import DaemonOrders
from detector.web.desk.preview_answer import preview_answer
from detector.web.desk.refusals import Refused

_MISSING = object()


class SettingsDesk:
    """Reads, previews and changes one config file; one change at a time."""

    def __init__(
        self,
        file: ConfigFile,
        checker: ConfigChecker,
        orders: DaemonOrders,
        *,
        history: Sequence[Path],
        read_only: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`history` are the places of the history's file; `read_only` is what the page says of itself."""
        self._file = file
        self._checker = checker
        self._orders = orders
        self._history = history
        self._read_only = read_only
        self._clock = clock
        self._lock = asyncio.Lock()
        self._waiting: dict[str, object] = {}
        self._waiting_for = ""

    @property
    def path(self) -> Path:
        """The config file."""
        return self._file.path

    async def values(self) -> Mapping[str, Any]:
        """All settings that the file gives, defaults included; raises Refused where it has faults."""
        checked = await self._checker.check(self._read().text)
        if checked.faults:
            raise Refused(409, f"{self._file.path} has faults", checked.faults)
        return checked.values

    async def model_name(self) -> str:
        """The setting `model.name`; raises Refused where the file has faults."""
        return str((await self.values())["model"]["name"])

    async def state(self) -> dict[str, object]:
        """What `GET /api/v1/settings` answers."""
        found = self._read()
        checked, threshold, report = await asyncio.gather(
            self._checker.check(found.text),
            self._checker.model_threshold(found.text),
            self._orders.report(),
        )
        if report is not None and report.get("run_id") != self._waiting_for:
            self._waiting = {}
        why_not = self._file.why_not_writable()
        values = checked.values
        notify = values.get("notify", {})
        return {
            "path": str(self._file.path),
            "exists": bool(found.version),
            "writable": not why_not,
            "read_only": self._read_only,
            "why_not": why_not or None,
            "version": found.version,
            "faults": list(checked.faults),
            "warnings": list(checked.warnings),
            "values": page_values(values),
            "defaults": {key: _plain(default_of(path_of(key) or ())) for key in PLAIN},
            "default_threshold": threshold,
            "labels": values.get("events", {}).get("labels", {}),
            "sources": list(values.get("sources", {})),
            "clips_folder": values.get("clips", {}).get("folder") is not None,
            "fields": [asdict(field) for field in page_fields()],
            "needs_restart": sorted(self._waiting),
            "rules": notify.get("rules", []),
            "targets": targets_of(notify),
            "undo": self._undo(),
        }

    async def preview(self, changes: Mapping[str, object], days: int = 1) -> dict[str, object]:
        """What `POST /api/v1/settings/preview` answers; faults are in it. Raises Refused."""
        values = await self.values()
        threshold = await self._checker.model_threshold(self._read().text)
        return await preview_answer(
            changes, values, self._history, days=days, now=self._clock(), default_threshold=threshold
        )

    async def change(
        self, changes: Mapping[str, object], *, seen: str | None = None, what: str = ""
    ) -> dict[str, object]:
        """Write changes and let the daemon read them; raises Refused, and then the file is as it was."""
        if faults := page_faults(changes):
            raise Refused(422, faults[0], faults)
        async with self._lock:
            found = self._read()
            if seen is not None and seen != found.version:
                raise Refused(
                    409, f"{self._file.path} was changed meanwhile: look at it again, then change it"
                )
            before = await self.values()
            text = self._edited(found.text, changes)
            if text == found.text:
                return await self._answer([], "nothing to change", reload=False)
            checked = await self._checker.check(text)
            if checked.faults:
                # Lines are those of a text that is nowhere.
                faults = [
                    re.sub(rf"^{re.escape(str(self.path))}(:\d+)?: ", "", line) for line in checked.faults
                ]
                raise Refused(422, faults[0], faults)
            words = what or _description(changes, before)
            await self._write(lambda: self._file.write(text, found.version, words))
            await self._note_restarts(before, checked.values, changes)
            return await self._answer(list(changes), words)

    async def undo(self) -> dict[str, object]:
        """Take the newest change back, and let the daemon read that; raises Refused."""
        async with self._lock:
            before = (await self._checker.check(self._read().text)).values
            what = await self._write(self._file.undo)
            after = (await self._checker.check(self._read().text)).values
            old, new = page_values(before), page_values(after)
            changed = [key for key in {**old, **new} if old.get(key, _MISSING) != new.get(key, _MISSING)]
            await self._note_restarts(before, after, dict.fromkeys(changed))
            return await self._answer(sorted(changed), f"undone: {what}")

    async def reloaded(self, message: str) -> dict[str, object]:
        """Let the daemon read its settings and models again, and answer as after a change."""
        return await self._answer([], message)

    def _read(self) -> ConfigText:
        try:
            return self._file.read()
        except ConfigError as error:
            raise Refused(409, str(error)) from error

    async def _write(self, write: Callable[[], str]) -> str:
        try:
            return await asyncio.to_thread(write)
        except ChangedMeanwhile as error:
            raise Refused(409, str(error)) from error
        except NotWritable as error:
            raise Refused(403, str(error)) from error
        except ConfigError as error:
            raise Refused(409, str(error)) from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise Refused(507, f"{self._file.path} could not be written: {reason}") from error

    def _edited(self, text: str, changes: Mapping[str, object]) -> str:
        document, _ = yamltext.parse(text)
        for key, value in changes.items():
            path = path_of(key) or ()
            if path[0] == "sources" and not isinstance(value_at(document.data, path[:2]), Mapping):
                fault = f"{key}: the file has no source {path[1]!r} with keys of its own"
                raise Refused(422, fault, [fault])
            try:
                if value is not None:
                    text = with_value(text, path, value)
                elif key not in PLAIN:
                    text = without_key(text, path)
                elif _is_given(document.data, path):
                    text = with_value(text, path, default_of(path))
            except ConfigError as error:
                raise Refused(422, str(error), [str(error)]) from error
        return text

    async def _note_restarts(
        self, before: Mapping[str, Any], after: Mapping[str, Any], changes: Mapping[str, object]
    ) -> None:
        """Remember what the daemon takes only from its next start, until it is as it was or has started."""
        report = await self._orders.report()
        run = str(report.get("run_id", "")) if report is not None else ""
        if run != self._waiting_for:
            self._waiting, self._waiting_for = {}, run
        if report is None:
            return
        old, new = page_values(before), page_values(after)
        for key in filter(needs_restart, changes):
            self._waiting.setdefault(key, old.get(key))
            if self._waiting[key] == new.get(key):
                del self._waiting[key]

    async def _answer(self, applied: list[str], message: str, *, reload: bool = True) -> dict[str, object]:
        reloaded = False
        if reload:
            try:
                await self._orders.reload()
                reloaded = True
            except Refused as error:
                message = f"{message}; written, but not in force yet: {error.message}"
        return {
            "applied": applied,
            "needs_restart": sorted(self._waiting),
            "reloaded": reloaded,
            "message": message,
            "version": self._read().version,
            "undo": self._undo(),
            "warnings": list(self._checker.newest.warnings),
        }

    def _undo(self) -> dict[str, object] | None:
        offer = self._file.offer()
        if offer is None:
            return None
        return {
            "available": not offer.why_not,
            "what": offer.what,
            "time": offer.time,
            "why_not": offer.why_not or None,
        }


def targets_of(notify: Mapping[str, Any]) -> list[str]:
    """The names of the targets of notices, from the settings."""
    return [target["name"] for kind in ("webhooks", "commands", "apprise") for target in notify.get(kind, [])]


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _is_given(data: object, path: Sequence[str]) -> bool:
    section = value_at(data, tuple(path[:-1]))
    return isinstance(section, Mapping) and path[-1] in section


def _description(changes: Mapping[str, object], before: Mapping[str, Any]) -> str:
    if len(changes) > 1:
        return f"{len(changes)} settings: {', '.join(changes)}"
    old = page_values(before)
    ((key, value),) = changes.items()
    return f"{key} {json.dumps(old.get(key), ensure_ascii=False)} -> {json.dumps(value, ensure_ascii=False)}"
