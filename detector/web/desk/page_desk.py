"""Everything that the page changes, in one place, and what it is told of models and notifications."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from detector.web.desk.calibration_job import CalibrationJob
from detector.web.desk.child_commands import Commands
from detector.web.desk.daemon_orders import DaemonOrders
from detector.web.desk.refusals import Refused
from detector.web.desk.settings_desk import SettingsDesk, targets_of
from detector.web.desk.teaching_desk import TeachingDesk

LIST_SECONDS = 60.0
TRIAL_SECONDS = 180.0
"""How long test notices may take together."""
_RESULT = re.compile(r"(?P<name>.*?)\s+(?P<result>delivered|FAILED)\s+(?P<seconds>[\d.]+) s\s*(?P<detail>.*)")


class PageDesk:
    """The settings, the orders to the daemon, and commands that are run for the page."""

    def __init__(
        self,
        settings: SettingsDesk,
        orders: DaemonOrders,
        commands: Commands,
        calibration: CalibrationJob,
        teaching: TeachingDesk,
    ) -> None:
        self.settings = settings
        self.orders = orders
        self.calibration = calibration
        self.teaching = teaching
        self._commands = commands

    async def models(self) -> dict[str, object]:
        """Every model on this machine, and which of them the daemon runs."""
        done = await self._commands.run("models", "list", "--json", seconds=LIST_SECONDS)
        if not done.out.strip():
            raise Refused(502, f"the models cannot be listed: {done.reason}")
        report = await self.orders.report()
        running = None if report is None else str(report.get("model", "")).split("+")
        found = [_model(facts, running or ()) for facts in json.loads(done.out)]
        bytes_of = {str(model["name"]): model["bytes"] for model in found}
        for model in found:
            if model["kind"] == "combination":
                parts = str(model["name"]).split("+")
                model["bytes"] = sum(bytes_of.get(part, 0) for part in parts)
        return {"models": found, "running": running}

    async def notifications(self) -> dict[str, object]:
        """The targets of notices, and the rules."""
        notify = (await self.settings.values())["notify"]
        return {"targets": targets_of(notify), "rules": notify["rules"]}

    async def try_notifications(self, targets: Sequence[str]) -> dict[str, object]:
        """Send a test notice to these targets, or to all; raises Refused where there is none."""
        known = targets_of((await self.settings.values())["notify"])
        if not known:
            raise Refused(422, "no target to test: docs/notifications.md shows how to set one up")
        if unknown := [name for name in targets if name not in known]:
            raise Refused(422, f"no target is called {unknown[0]!r}")
        named = [part for name in targets for part in ("--target", name)]
        config = self._config()
        done = await self._commands.run("notify", "--test", *named, *config, seconds=TRIAL_SECONDS)
        found = [match for line in done.out.splitlines() if (match := _RESULT.fullmatch(line))]
        if not found:
            raise Refused(502, done.reason)
        return {
            "results": [
                {
                    "name": match["name"],
                    "delivered": match["result"] == "delivered",
                    "seconds": float(match["seconds"]),
                    "detail": match["detail"],
                }
                for match in found
            ]
        }

    async def close(self) -> None:
        """End what was started for the page."""
        await self.calibration.cancel()
        await self.teaching.close()
        self._commands.close()

    def _config(self) -> tuple[str, ...]:
        path = self.settings.path
        return ("--config", str(path)) if path.exists() else ()


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _model(facts: Mapping[str, Any], running: Sequence[str]) -> dict[str, Any]:
    files = facts.get("files", {})
    parts = facts["name"].split("+")
    is_head = facts.get("base") is not None
    return {
        "name": facts["name"],
        "kind": "head" if is_head else "combination" if len(parts) > 1 else "network",
        "description": facts.get("description", ""),
        "licence": facts.get("licence", ""),
        "bytes": sum(_size(file["path"]) for file in files.values() if file["here"]),
        "runs": all(part in running for part in parts),
        "installed": bool(facts.get("runs_on")),
        "labels": facts.get("labels", 0),
    }
