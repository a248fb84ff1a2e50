"""SIGHUP at random moments with random settings: `python -m benchmarks.fuzz.reloads --runs 300`.

The real daemon listens to the bundled recording, again and again, at the speed of sound. Its settings are
written anew, right ones and wrong ones, also half written, with models that come, go and are damaged
meanwhile, and SIGHUP is sent, from its start on: one, or several at once. Checked all the while:

- the process lives, and answers SIGHUP with `daemon.reloaded` or `daemon.reload_refused` within 5 s;
- every line on standard error is printable, and none is a traceback;
- with good settings a subscriber gets a hello within 5 s, and events go on;
- at the end descriptors and threads are as many as after the first good settings, memory is below the
  limit, and SIGTERM ends it with status 0 within 5 s.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from benchmarks import ROOT
from benchmarks.fuzz.mutations import mutate
from benchmarks.fuzz.watch import MEMORY_MB, resident_mb
from benchmarks.fuzz.worker import HANG_SECONDS
from tests.support.program import RATE, demo_samples

_START_SECONDS = 60.0
_ANSWERED_SECONDS = 1.0
"""Until then, a SIGHUP that came before another one's answer has its own."""
_GOOD_EVERY = 25
"""After so many reloads the settings are good ones, and all is looked at."""

_RIGHT = (
    *("events: {preset: alert}", "events: {preset: quiet, threshold_on: 0.3}", "events: {background: true}"),
    *("events: {include: [Dog, Speech], exclude: [Speech]}", "events: {everyday: false}", "", "model: {}"),
    *("events: {groups: {Alarms: [Siren, 'Smoke detector, smoke alarm']}}", "events: {release_seconds: 60}"),
    *("events: {labels: {Dog: {threshold_on: 0.9, threshold_off: 0.1}}}", "events: {update_seconds: 0.001}"),
    *("events: {min_duration_seconds: 86400}", "model: {name: yamnet}", "model: {heads: []}"),
    *("gate: {mode: 'off'}", "windows: {hop_seconds: 0.03}", "level: {max_gain_db: 60}"),
    *("history: {enabled: false}", "source: {rate: 8000}", "metrics: {port: 0}"),
)
"""Settings that are right, some of them only after a restart."""
_WRONG = (
    *(
        "events: {threshold_on: 1e-46}",
        "events: {include: [Dgo]}",
        "events: {groups: {Dog: [Dog, Dog, Rain]}}",
    ),
    *("events: {labels: {Dog: {threshold_on: 0.9, threshold_off: 0.95}}}", "events: 7", "events: [", "- 1"),
    *(
        "\x1b[2J: 1",
        "metrics: {port: 65536}",
        "model: {name: nothing}",
        "model: {heads: [fuzz]}",
        "a: &a [*a]",
    ),
)
_SINKS = (
    *(
        "stdout:json",
        "stdout",
        "log:events.jsonl",
        "{kind: log, target: b.jsonl, max_bytes: 1}",
        "log:/dev/full",
    ),
    *("socket:unix://FOLDER/other.sock", "socket:unix://FOLDER/events.sock", "socket:tcp://127.0.0.1:0"),
)
_WRONG_SINKS = (
    *("log:nowhere/events.jsonl", "log:folder", "socket:tcp://0.0.0.0:0", "socket:unix:///nowhere/a.sock"),
    *("socket:unix://FOLDER/folder", "nonsense", "{kind: log}", "socket:unix://FOLDER/" + "x" * 200),
)
_WORDS = (
    b"events",
    b"labels",
    b"Dog",
    b"{",
    b"}",
    b"[",
    b"]",
    b": ",
    b", ",
    b"\n",
    b"null",
    b"1e999",
    b"*a",
    b"&a",
)


class Failure(Exception):
    """The daemon did what it must not."""


class _Daemon:
    """The real program, fed with sound at its own speed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.config = folder / "config.yaml"
        self.socket = folder / "events.sock"
        self.lines: list[str] = []
        self.settle()
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SOUND_DETECTOR_", "XDG_"))
        }
        home = {
            "XDG_STATE_HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "SOUND_DETECTOR_HOME": str(folder),
        }
        command = [sys.executable, "-m", "detector", "run", "--config", str(self.config), "--input", "-"]
        with (folder / "events").open("wb") as out:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment | home | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.PIPE,
            )
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._feed, self._read)]
        for thread in self._threads:
            thread.start()

    def settle(self) -> None:
        """Write good settings."""
        sinks = f"sinks: [stdout:json, 'socket:unix://{self.socket}']"
        self.config.write_text(f"model: {{name: yamnet}}\n{sinks}\n")

    def reload(self, times: int = 1) -> str:
        """Send SIGHUP; return the line that answers the last one."""
        before = len(self.lines)
        for _ in range(times):
            self.process.send_signal(signal.SIGHUP)
        return self.wait(lambda: self._answer(before), HANG_SECONDS, "no answer to SIGHUP")

    def _answer(self, before: int) -> str:
        answers = [line for line in self.lines[before:] if "daemon.reload" in line]
        return answers[-1] if answers else ""

    def wait(self, found: Callable[[], str], seconds: float, otherwise: str) -> str:
        """Wait until something is there; raises Failure."""
        end = time.monotonic() + seconds
        while not (it := found()):
            self.check()
            if time.monotonic() > end:
                raise Failure(f"{otherwise} within {seconds:.0f} s; last lines: {self.lines[-5:]}")
            time.sleep(0.005)
        return it

    def check(self) -> None:
        """Raise Failure where it has ended, said what no terminal can show, or swells."""
        if self.process.poll() is not None:
            raise Failure(f"it ended with status {self.process.returncode}: {self.lines[-20:]}")
        for line in self.lines:
            if not line.isprintable() or "Traceback" in line:
                raise Failure(f"it said {line!r}; all of it: {self.lines[-40:]}")
        if (memory := resident_mb(self.process.pid)) > MEMORY_MB:
            raise Failure(f"it takes {memory:.0f} MB")

    def minds_hangups(self) -> str:
        """Whether a handler for SIGHUP is there: the interpreter's own start takes a tenth of a second."""
        status = (Path("/proc") / str(self.process.pid) / "status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt:")).split()[1]
        return "yes" if int(caught, 16) >> (signal.SIGHUP - 1) & 1 else ""

    def hello(self) -> None:
        """Connect and read the hello; raises Failure."""
        end = time.monotonic() + HANG_SECONDS
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as client:
                    client.settimeout(HANG_SECONDS)
                    client.connect(str(self.socket))
                    client.sendall(b"{}\n")
                    first = client.makefile("rb").readline()
                if json.loads(first)["type"] == "hello":
                    return
            except (OSError, ValueError, KeyError):
                pass
            self.check()
            if time.monotonic() > end:
                raise Failure(f"a subscriber gets no hello; last lines: {self.lines[-5:]}")
            time.sleep(0.05)

    def held(self) -> tuple[int, int]:
        """Descriptors and threads."""
        process = Path("/proc") / str(self.process.pid)
        return len(list((process / "fd").iterdir())), len(list((process / "task").iterdir()))

    def holds_at_most(self, before: tuple[int, int]) -> bool:
        """Whether neither is more; one thread may be, which waits to tell of repeated lines."""
        descriptors, threads = self.held()
        return descriptors <= before[0] and threads <= before[1] + 1

    def end(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(HANG_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise Failure(f"SIGTERM does not end it; last lines: {self.lines[-5:]}") from error

    def kill(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()

    def _feed(self) -> None:
        sound, pipe = demo_samples(), self.process.stdin
        assert pipe is not None
        piece, began, sent = RATE // 10, time.monotonic(), 0
        with contextlib.suppress(OSError, ValueError), pipe:  # until it ends
            while True:
                at = sent % (len(sound) - piece)
                pipe.write(sound[at : at + piece].astype("<i2").tobytes())
                pipe.flush()
                sent += piece
                time.sleep(max(0.0, began + sent / RATE - time.monotonic()))

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as said:
            for line in said:
                self.lines.append(line.decode("utf-8", "surrogateescape").rstrip("\n"))


def _settings(random: Random, folder: Path) -> bytes:
    """Some settings: half of them right, the others wrong, half written or damaged."""
    way = random.randrange(10)
    pieces = [random.choice(_WRONG if way == 0 else _RIGHT)]
    if not pieces[0].startswith("model"):
        pieces += random.sample(["model: {heads: []}"], random.randrange(2))
    places = [*_SINKS, *(_WRONG_SINKS if way == 1 else ())]
    sinks = [
        sink if sink.startswith("{") else f"'{sink.replace('FOLDER', str(folder))}'"
        for sink in random.sample(places, random.randrange(1, 4))
    ]
    text = "\n".join(pieces).encode()
    if way == 2:
        text = text[: random.randrange(len(text) + 1)]
    elif way == 3:
        text = mutate(text, random, [text], _WORDS)
    return text + (f"\nsinks: [{', '.join(sinks)}]\n".encode() if random.random() < 0.7 else b"\n")


def _move_models(random: Random, folder: Path, yamnet: Path) -> None:
    """Models come, go and are damaged in the folder that the daemon looks into."""
    bundle = folder / "models" / "fuzz"
    shutil.rmtree(bundle, ignore_errors=True)
    way = random.randrange(30)
    if way > 5:
        return
    if way == 0:
        shutil.copytree(yamnet.parent, bundle)
        return
    bundle.mkdir(parents=True)
    if way == 1:
        os.mkfifo(bundle / "model.yaml")
    elif way == 2:
        (bundle / "model.yaml").symlink_to("/dev/zero")
    elif way == 3:
        (bundle / "model.yaml").write_bytes(mutate(yamnet.read_bytes(), random, [b""], _WORDS))
    else:
        shutil.copy(yamnet, bundle / "model.yaml")
        os.mkfifo(bundle / "labels.csv")


def reload_often(runs: int, seed: int) -> Counter[str]:
    """Reload so many times; how often each answer came. Raises Failure."""
    from detector.files.data_folders import models_folder
    from detector.modelstore.folders import shipped_folder

    random, answers = Random(seed), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="hup-") as place:
        folder = Path(place)
        (folder / "folder").mkdir()
        (folder / "models").mkdir()
        shutil.copytree(models_folder() / "yamnet", folder / "models" / "yamnet")
        daemon = _Daemon(folder)
        try:
            daemon.wait(daemon.minds_hangups, _START_SECONDS, "SIGHUP would end it")
            while not daemon.socket.exists():
                daemon.process.send_signal(signal.SIGHUP)
                daemon.check()
                time.sleep(random.uniform(0.0, 0.2))
            time.sleep(_ANSWERED_SECONDS)
            daemon.reload()
            daemon.hello()
            before = daemon.held()
            for number in range(1, runs + 1):
                _move_models(random, folder, shipped_folder() / "yamnet" / "model.yaml")
                daemon.config.write_bytes(_settings(random, folder))
                answer = daemon.reload(random.choice((1, 1, 1, 2, 5)))
                answers["reloaded" if "daemon.reloaded" in answer else "refused"] += 1
                time.sleep(random.choice((0.0, 0.0, 0.01, 0.1, 0.3)))
                if number % _GOOD_EVERY == 0 or number == runs:
                    shutil.rmtree(folder / "models" / "fuzz", ignore_errors=True)
                    daemon.settle()
                    time.sleep(_ANSWERED_SECONDS)
                    if "daemon.reloaded" not in daemon.reload():
                        raise Failure(f"good settings were refused: {daemon.lines[-3:]}")
                    daemon.hello()
            daemon.wait(
                lambda: "same" if daemon.holds_at_most(before) else "",
                HANG_SECONDS,
                f"descriptors and threads were {before}, now {daemon.held()}: not given back",
            )
            if status := daemon.end():
                raise Failure(f"SIGTERM ended it with status {status}: {daemon.lines[-5:]}")
            if (folder / "events").stat().st_size == 0:
                raise Failure("no event was reported")
        finally:
            daemon.kill()
    return answers


def main() -> int:
    """Reload, and say what came of it; 1 where something must not be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=300, help="how many reloads (default 300)")
    parser.add_argument("--seed", type=int, default=1, help="another seed writes other settings (default 1)")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        answers = reload_often(options.runs, options.seed)
    except Failure as failure:
        print(f"seed {options.seed}: {failure}")
        return 1
    seconds = time.monotonic() - began
    print(f"{options.runs} reloads in {seconds:.0f} s: {dict(answers)}. Nothing was found.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
