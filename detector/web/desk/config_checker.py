"""What `check-config` says of a text that is not in force yet; it runs in a process of its own."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector.config import yamltext
from detector.config.text_edit import value_at
from detector.files.daemon_files import make_folder
from detector.web.desk.child_commands import PREFIX, Commands
from detector.web.desk.refusals import Refused

CHECK_SECONDS = 60.0
"""How long a check may take; it is 1 s here, 10 s on a slow machine."""
AUTO = "auto"
"""The name of a model that the machine chooses."""
_MACHINE = "this machine: "


@dataclass(frozen=True, slots=True)
class CheckedText:
    """What `check-config` says of a text."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """All settings in force, as in a file; empty where there are faults."""
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """What this machine lacks for them."""


class ConfigChecker:
    """Checks texts for one config file; the newest answer is kept."""

    def __init__(self, commands: Commands, *, scratch: Path, shown_as: Path) -> None:
        """`scratch` is a folder for the texts; faults name `shown_as` in their place."""
        self._commands = commands
        self._scratch = scratch
        self._shown_as = shown_as
        self._newest: tuple[str, CheckedText] | None = None
        self._threshold: dict[str, float | None] = {}
        self._checking, self._looking_up = asyncio.Lock(), asyncio.Lock()

    @property
    def newest(self) -> CheckedText:
        """The newest answer."""
        return self._newest[1] if self._newest is not None else CheckedText()

    async def check(self, text: str) -> CheckedText:
        """Ask `check-config`, once for all who ask for the same text; raises Refused where that cannot be."""
        async with self._checking:
            if self._newest is not None and self._newest[0] == text:
                return self._newest[1]
            return await self._checked(text)

    async def _checked(self, text: str) -> CheckedText:
        try:
            make_folder(self._scratch)
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=self._scratch, prefix="check-", suffix=".yaml"
            ) as file:
                file.write(text)
                file.flush()
                arguments = ("check-config", "--config", file.name, "--format", "json")
                done = await self._commands.run(*arguments, seconds=CHECK_SECONDS)
                said = done.err.replace(file.name, str(self._shown_as))
        except OSError as error:
            raise Refused(507, f"settings cannot be checked: {error.strerror or error}") from error
        lines = [line.removeprefix(PREFIX) for line in said.splitlines() if line.startswith(PREFIX)]
        warnings = [line.removeprefix(_MACHINE) for line in lines if line.startswith(_MACHINE)]
        if done.code:
            faults = [line for line in lines if not line.startswith(_MACHINE)] or [done.reason]
            checked = CheckedText(faults=tuple(faults), warnings=tuple(warnings))
        else:
            checked = CheckedText(json.loads(done.out), warnings=tuple(warnings))
        if done.code >= 0:
            self._newest = (text, checked)
        return checked

    async def model_threshold(self, text: str) -> float | None:
        """The threshold of the model that a text names, which holds where it sets none; None: not known."""
        document, _ = yamltext.parse(text)
        name = value_at(document.data, ("model", "name")) or AUTO
        if not isinstance(name, str) or name.startswith("-"):
            return None
        async with self._looking_up:
            if name in self._threshold:
                return self._threshold[name]
            named = () if name == AUTO else (name,)
            done = await self._commands.run("models", "info", *named, "--json", seconds=CHECK_SECONDS)
            facts = json.loads(done.out) if done.code == 0 else {}
            own = (facts if isinstance(facts, dict) else facts[0]).get("threshold_on")
            self._threshold[name] = own if isinstance(own, float) else None
        return self._threshold[name]
