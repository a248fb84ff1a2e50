"""The services that apprise knows: its own program is run for each notice, outside this process.

Importing apprise takes half a second and 36 MB, and its services wait with sleeps. The addresses, which hold
passwords, stand in a file that is named on its command line; the text goes to its standard input.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from detector.config.notify_settings import AppriseSettings
from detector.sinks.notify.notices import Notice
from detector.sinks.notify.programs import PATH, run_program
from detector.sinks.notify.retry_queue import Attempt
from detector.sinks.notify.target import Stopping
from detector.wire.access import read_secret

APPRISE_SECONDS = 60.0
"""How long one run may take: it loads slowly on a small computer, and pauses between services."""
MAX_CONFIG_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class AppriseTarget:
    """Runs `apprise`, one at a time, and never again for the same notice."""

    settings: AppriseSettings
    seconds: float = APPRISE_SECONDS

    @property
    def name(self) -> str:
        """What the settings call it."""
        return self.settings.name

    def open(self) -> None:
        """Look at the file of addresses; AccessError where it cannot be read, or others can read it."""
        read_secret("apprise file", self.settings.config_file or "", max_bytes=MAX_CONFIG_BYTES)

    def deliver(self, notice: Notice, stopping: Stopping) -> Attempt:
        """Run it to its end; what it says is not passed on, since it may name addresses."""
        program = apprise_program(self.settings)
        if program is None:
            return Attempt(False, "there is no program `apprise`: pip install 'sound-detector[notify]'")
        file = str(Path(self.settings.config_file or "").absolute())
        argv = [program, "--config", file, "--title", notice.title, "--storage-mode", "memory"]
        try:
            end = run_program(
                argv,
                content=notice.text.encode("utf-8", "replace"),
                variables={"PYTHONUTF8": "1"},
                seconds=self.seconds,
                stopping=stopping,
            )
        except OSError as error:
            return Attempt(False, f"{program} cannot be started: {error.strerror}")
        if end.status is None:
            return Attempt(False, f"it was ended after {self.seconds:g} s")
        if end.status != 0:
            return Attempt(False, f"exit status {end.status}; try: apprise -vv --config {file} --body test")
        return Attempt(True, "exit status 0")


def apprise_program(settings: AppriseSettings) -> str | None:
    """Where the program is: as the settings say, beside this Python, or on the PATH; None: nowhere."""
    if settings.program is not None:
        return settings.program
    return shutil.which("apprise", path=str(Path(sys.executable).parent)) or shutil.which(
        "apprise", path=PATH
    )
