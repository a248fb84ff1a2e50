"""The program's own commands in processes of their own, since the page's process loads no model."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from detector.web.desk.refusals import Refused

NICENESS = 10
"""The daemon, which must not lose sound, comes first."""
OUTPUT_BYTES = 4_000_000
"""Longest line, and the most that is kept of what a command prints."""
END_SECONDS = 5.0
"""How long a command that is asked to end may take before it is killed."""
MOST_AT_ONCE = 4
"""Commands that `run` has run at once: each takes a processor, and more memory than the page itself."""
PREFIX = "sound-detector: "


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a command."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """The last line that it said, in its own words."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        if self.code == -signal.SIGKILL:
            return "it was ended from outside: there may be too little memory"
        return lines[-1].removeprefix(PREFIX) if lines else f"it ended with status {self.code}"


class RunningCommand:
    """A command that runs; the processes that it starts end with it."""

    def __init__(self, process: asyncio.subprocess.Process, on_output: Callable[[str], None] | None) -> None:
        self._process = process
        self.stopped = False
        """Whether `stop` was called."""
        self._reading = asyncio.gather(
            self._read(process.stdout, on_output), self._read(process.stderr, None)
        )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def write(self, data: bytes) -> bool:
        """Hand it sound on its standard input; False where it reads no more."""
        if self._process.stdin is None:
            return False
        try:
            self._process.stdin.write(data)
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return False
        return self.is_running

    def end_input(self) -> None:
        """Its standard input is over."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    async def finished(self) -> Finished:
        """Wait for its end."""
        out, err = await self._reading
        return Finished(await self._process.wait(), out, err)

    async def stop(self) -> None:
        """End it, by force if it does not obey."""
        self.stopped = True
        for number in (signal.SIGTERM, signal.SIGKILL):
            self.signal(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(END_SECONDS):
                    await self._process.wait()
                break

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to what it started."""
        with suppress(ProcessLookupError, PermissionError):
            if self._process.returncode is None:
                os.killpg(self._process.pid, number)

    async def _read(self, stream: asyncio.StreamReader | None, on_line: Callable[[str], None] | None) -> str:
        kept: list[str] = []
        size = 0
        while stream is not None and (line := await _line(stream)):
            text = line.decode(errors="replace")
            if on_line is not None:
                on_line(text.rstrip("\n"))
            size += len(line)
            if size <= OUTPUT_BYTES:
                kept.append(text)
        return "".join(kept)


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # a line without an end
        return await stream.read(OUTPUT_BYTES)


class Commands:
    """Starts commands of the program; those that still run end with `close`."""

    def __init__(
        self,
        argv: Sequence[str] = (sys.executable, "-P", "-m", "detector"),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._argv = tuple(argv)
        self._environ = environ
        self._running: set[RunningCommand] = set()
        self._free = asyncio.Semaphore(MOST_AT_ONCE)

    async def start(
        self, *arguments: str, on_output: Callable[[str], None] | None = None, takes_input: bool = False
    ) -> RunningCommand:
        """Start `sound-detector ARGUMENTS`; `on_output` gets each line of its standard output.

        Raises Refused where the system starts no more processes.
        """
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                *arguments,
                stdin=pipe if takes_input else nothing,
                stdout=pipe,
                stderr=pipe,
                env=self._environ,
                limit=OUTPUT_BYTES,
                start_new_session=True,
            )
        except OSError as error:
            raise Refused(503, f"no process can be started: {error.strerror or error}") from error
        with suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        command = RunningCommand(process, on_output)
        self._running = {running for running in self._running if running.is_running} | {command}
        return command

    async def run(self, *arguments: str, seconds: float = 60.0) -> Finished:
        """Run a command to its end, at most so long; where some run already, once one of them has ended."""
        async with self._free:
            command = await self.start(*arguments)
            try:
                async with asyncio.timeout(seconds):
                    return await command.finished()
            except TimeoutError:
                return Finished(-1, "", f"{PREFIX}it took longer than {seconds:.0f} s")
            finally:
                if command.is_running:
                    await command.stop()

    def close(self) -> None:
        """End what still runs, at once."""
        for command in self._running:
            command.signal(signal.SIGKILL)
