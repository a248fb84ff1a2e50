"""Text from strangers: the subscriber's line, settings, addresses, what the service manager says."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks import ROOT
from benchmarks.fuzz.target import Finding, Run, Target
from detector.assemble.endpoints import SINK_KINDS
from detector.assemble.stages import make_pipeline
from detector.config.loading import Loaded, load_settings
from detector.config.rendering import render
from detector.records import Block, Label, ModelSpec, Scores, Window
from detector.service.systemd import Notifier
from detector.wire.address import parse_address
from detector.wire.encoding import decode
from detector.wire.request import parse_request

_REQUESTS = (
    b"{}",
    b"",
    b'{"labels": ["Dog", "/m/0bt9lr"], "min_score": 0.5, "since": 12}',
    b'{"report": true}',
    b'{"verdict": {"id": "last", "said": "wrong"}}',
    b'{"spectrogram": {"source": "porch"}}',
    b'{"sound": {}}',
    b'{"control": {"pause": true, "source": "porch"}}',
    b'{"control": {"reload": true}}',
    b'{"token": "open sesame"}',
    b'{"labels": null, "min_score": 1, "since": null}',
    b"[" * 4000,
    b'{"labels": ' * 400 + b"1" + b"}" * 400,
)
_JSON_WORDS = (
    b'"labels"',
    b'"min_score"',
    b'"since"',
    b'"report"',
    b'"spectrogram"',
    b'"control"',
    b'"source"',
    b'"pause"',
    b'"token"',
    b"null",
    b"true",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
)

_EXPRESSIONS = (
    b"gate.mode=level",
    b"events.labels.Dog.threshold_on=0.4\0events.include=[Dog]",
    b'sinks=["stdout:json", "log:events.jsonl", "socket:tcp://127.0.0.1:8765"]',
    b"events.groups={Pets: [Dog, Cat]}\0windows.hop_seconds=0.48",
    b"source.input=-\0source.rate=48000",
)
_ADDRESSES = (
    b"unix:///run/sound-detector/events.sock",
    b"tcp://127.0.0.1:8765",
    b"tcp://[::1]:0",
    b"tcp://localhost:65535",
    b"unix://@events",
)
_ENVIRONMENTS = (
    b"/run/systemd/notify\0" + b"30000000\0" + b"1",
    b"@/org/freedesktop/systemd1/notify/1\0" + b"1\0",
    b"vsock:2:1234\0" + b"0\0" + b"x",
    b"/" + b"x" * 200 + b"\0" + b"9" * 500 + b"\0",
)
_TREE_WORDS = (
    *(b"source", b"device", b"input", b"rate", b"model", b"name", b"gate", b"mode", b"level", b"off"),
    *(b"windows", b"hop_seconds", b"events", b"preset", b"sure", b"threshold_on", b"threshold_off"),
    *(b"include", b"exclude", b"groups", b"labels", b"Dog", b"Rain", b"sinks", b"kind", b"target", b"stdout"),
    *(b"log", b"socket", b"tcp://", b"unix://", b"true", b"null", b"~", b"&a", b"*a", b"!!python/name:os"),
    *(b": ", b"- ", b"[", b"]", b"{", b"}", b"\n", b"\n  ", b"---", b"...", b"|", b">", b"#", b"0.5", b"."),
)


_EVENT = decode(b'{"type":"start","label":"Dog","class_id":"/m/0bt9lr","top_score":0.5,"seq":1}')


@contextmanager
def _requests(folder: Path) -> Iterator[Run]:
    def run(data: bytes) -> None:
        request = parse_request(data)
        request.filter.passes(_EVENT)

    yield run


@contextmanager
def _config_files(folder: Path) -> Iterator[Run]:
    path = folder / "config.yaml"

    def run(data: bytes) -> None:
        path.write_bytes(data)
        loaded = load_settings(config_path=str(path), environ={}, sink_kinds=SINK_KINDS)
        path.write_text(render(loaded, SINK_KINDS), encoding="utf-8")
        again = load_settings(config_path=str(path), environ={}, sink_kinds=SINK_KINDS)
        if again.settings != loaded.settings:
            raise Finding("what `check-config` prints reads back as other settings")
        _use(loaded)

    yield run


@contextmanager
def _expressions(folder: Path) -> Iterator[Run]:
    def run(data: bytes) -> None:
        given = [os.fsdecode(part) for part in data.split(b"\0")]  # as arguments arrive: no zero byte
        _use(load_settings(environ={}, sink_kinds=SINK_KINDS, set_expressions=given, system_file=""))

    yield run


def _use(loaded: Loaded) -> None:
    """Settings that are accepted must also build a pipeline, and hear with it."""
    with loaded.locating_errors():
        pipeline = make_pipeline(loaded.settings, _Parrot())
    rng = np.random.default_rng(0)
    for start in (0, 1600, 200_000):
        pipeline.push(Block(start, rng.integers(-9000, 9000, 1600).astype(np.int16)))
    pipeline.flush()


class _Parrot:
    """A classifier of two labels that always hears the first."""

    spec = ModelSpec(
        "fuzz", (Label("Dog", "/m/0bt9lr", "fuzz"), Label("Rain", "/m/06mb1", "fuzz")), 16000, 800
    )

    def scores(self, window: Window) -> Scores:
        return Scores(window.span, np.array([0.9, 0.0], np.float32))

    def close(self) -> None:
        """Nothing to release."""


@contextmanager
def _addresses(folder: Path) -> Iterator[Run]:
    def run(data: bytes) -> None:
        address = parse_address(os.fsdecode(data))
        if parse_address(str(address)) != address:
            raise Finding(f"{address} reads back as another address")

    yield run


@contextmanager
def _notices(folder: Path) -> Iterator[Run]:
    def run(data: bytes) -> None:
        names = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
        values = [os.fsdecode(value) for value in data.split(b"\0")]
        environ = dict(zip(names, values, strict=False))
        if environ.get("WATCHDOG_PID") == "1":
            environ["WATCHDOG_PID"] = str(os.getpid())
        notifier = Notifier(environ)
        notifier.ready()
        notifier.status(values[-1])
        notifier.watchdog()
        with notifier.reloading():
            notifier.stopping()

    yield run


def _configs() -> Sequence[bytes]:
    own = (ROOT / "config.yaml").read_bytes()
    return (
        own,
        own.replace(b"\n# ", b"\n").replace(b"\n  # ", b"\n  "),
        b"gate: {mode: level}\nevents:\n  include: [Dog]\n  labels:\n    Dog: {threshold_on: 0.4}\n",
        b"sinks:\n  - stdout\n  - kind: log\n    target: events.jsonl\n  - socket:unix:///tmp/a.sock\n",
        b"".join(b"k%d: 1\n" % i for i in range(2000)),
        b"events: {labels: {" + b", ".join(b"L%d: {threshold_on: 2}" % i for i in range(1000)) + b"}}\n",
    )


TARGETS = (
    Target("request line", 160, lambda: _REQUESTS, _requests, _JSON_WORDS),
    Target("config file", 110, _configs, _config_files, _TREE_WORDS, many_faults=True),
    Target("--set expressions", 90, lambda: _EXPRESSIONS, _expressions, _TREE_WORDS, many_faults=True),
    Target(
        "socket URI", 90, lambda: _ADDRESSES, _addresses, (b"tcp://", b"unix://", b"[", b"]:", b"::1", b":")
    ),
    Target("notify environment", 60, lambda: _ENVIRONMENTS, _notices, (b"/", b"@", b"\0", b"1", b"30000000")),
)
