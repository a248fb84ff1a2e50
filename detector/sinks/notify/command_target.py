"""A program that is started with each notice: the JSON on standard input, facts in its environment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from detector.config.notify_settings import CommandSettings
from detector.sinks.notify.notices import Notice
from detector.sinks.notify.programs import run_program
from detector.sinks.notify.retry_queue import Attempt
from detector.sinks.notify.target import Stopping

COMMAND_SECONDS = 10.0
"""How long the program may run."""


@dataclass(frozen=True, slots=True)
class CommandTarget:
    """Starts the program, one at a time, and never again for the same notice."""

    settings: CommandSettings
    seconds: float = COMMAND_SECONDS
    clock: Callable[[], float] = time.monotonic

    @property
    def name(self) -> str:
        """What the settings call it."""
        return self.settings.name

    def open(self) -> None:
        """It has no secrets."""

    def deliver(self, notice: Notice, stopping: Stopping) -> Attempt:
        """Run it to its end; another exit status than 0 is a failure."""
        facts = {
            "KIND": notice.kind,
            "RULE": notice.rule,
            "TEXT": notice.text,
            "MORE": str(notice.more),
            **notice.variables,
        }
        variables = {f"SOUND_DETECTOR_{key}": value.replace("\0", " ") for key, value in facts.items()}
        try:
            end = run_program(
                self.settings.argv,
                content=notice.line,
                variables=variables,
                seconds=self.seconds,
                stopping=stopping,
                clock=self.clock,
            )
        except OSError as error:
            return Attempt(False, f"{self.settings.argv[0]} cannot be started: {error.strerror}")
        said = f": {end.said}" if end.said else ""
        if end.status is None:
            return Attempt(False, f"it was ended after {self.seconds:g} s{said}")
        if end.status != 0:
            how = f"signal {-end.status}" if end.status < 0 else f"exit status {end.status}"
            return Attempt(False, f"{how}{said}")
        return Attempt(True, "exit status 0")
