"""A real PostgreSQL of its own, on a Unix socket alone."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.support.fakes import LONG

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([*map(str, FOLDERS), os.environ.get("PATH", "")]))


def why_not() -> str:
    """Why there can be no server here; empty where there can."""
    if _program("initdb") is None or _program("postgres") is None:
        return "PostgreSQL's server is not installed (apt-get install postgresql)"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "psycopg is not installed (pip install 'sound-detector[fleet]')"
    if os.geteuid() == 0 and not _has_user("postgres"):
        return "root may not run PostgreSQL, and there is no user postgres"
    return ""


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


class Postgres:
    """A server that can be killed and started again; a context manager."""

    def __enter__(self) -> Postgres:
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))  # the path of a socket is short
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        made = subprocess.run(
            [
                str(_program("initdb")),
                "-D",
                str(self.folder / "data"),
                "-A",
                "trust",
                "-U",
                "sounds",
                "--no-sync",
            ],
            user=self._user,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stderr
        self.uri = f"postgresql://sounds@/postgres?host={self.folder}"
        self.start()
        return self

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        import psycopg

        data = self.folder / "data"
        (data / "postmaster.pid").unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [str(_program("postgres")), "-D", str(data), "-k", str(self.folder), "-c", "listen_addresses="],
            user=self._user,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            try:
                psycopg.connect(self.uri).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("PostgreSQL does not start")

    def kill(self) -> None:
        """End all of its processes at once (SIGKILL)."""
        self._signal(signal.SIGKILL)  # each has a session of its own, and a stopped one outlives its parent
        self._process.wait(LONG)

    def hang(self) -> None:
        """Stop all of its processes, which answer no more until `go_on`."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End `hang`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        main = self._process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        for pid in (main, *map(int, children)):
            with suppress(ProcessLookupError):  # one that ended meanwhile
                os.kill(pid, number)

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
