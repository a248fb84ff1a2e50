"""What the running daemon loads: heavy packages never, asyncio only for a socket."""

from __future__ import annotations

import sys

import pytest

from tests.support.program import ALARM, DEMO, RATE, alarm, labels

pytestmark = pytest.mark.slow

SCRIPT = """\
import sys
from detector.cli.main import main
status = main(sys.argv[1:])
print(*sorted(sys.modules), file=sys.stderr)
sys.exit(status)
"""
HEAVY = {
    "librosa",
    "numba",
    "scipy",
    "sklearn",
    "torch",
    "onnx",
    "onnxruntime",
    "tensorflow",
    "pandas",
    "matplotlib",
}


@pytest.fixture
def modules(start, tmp_path):
    """Run the program to its end and say which top-level modules it had loaded by then."""

    def ran(*arguments: str, feed: bool = False) -> set[str]:
        program = start("-q", *arguments, command=(sys.executable, "-c", SCRIPT))
        if feed:
            program.feed(alarm())
        assert program.end() == 0
        assert ALARM in labels(program.out.seen)
        return {name.partition(".")[0] for name in program.err.seen[-1].split()}

    ran.folder = tmp_path
    return ran


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--input", DEMO, "--sink", "stdout", "--sink", "log:events.jsonl"],
        ["--input", "-", "--rate", str(RATE), "--sink", "stdout"],
    ],
    ids=["recording", "pipe"],
)
def test_a_daemon_without_a_socket_loads_neither_heavy_packages_nor_asyncio(modules, arguments):
    loaded = modules(*arguments, "--runtime", "tflite", feed="-" in arguments)
    assert not loaded & (HEAVY | {"asyncio"})
    assert "numpy" in loaded


@pytest.mark.usefixtures("model")
def test_a_daemon_with_every_sink_loads_no_heavy_package(modules):
    sinks = ["--sink", "stdout", "--sink", "log:events.jsonl", "--sink", "socket:unix://events.sock"]
    assert not modules("--input", DEMO, *sinks, "--runtime", "tflite") & HEAVY


@pytest.mark.usefixtures("model")
def test_a_daemon_that_notifies_loads_neither_apprise_nor_a_package_for_the_web(modules):
    targets = [
        "notify.webhooks=[{name: a, url: 'http://127.0.0.1:9/'}]",
        "notify.commands=[{name: b, argv: [/bin/true]}]",
        "notify.apprise=[{name: c, config_file: apprise.conf, program: /bin/true}]",
        "notify.rules=[{name: alarms, labels: [alarms], to: [b]}]",
    ]
    (modules.folder / "apprise.conf").touch(mode=0o600)
    given = [argument for target in targets for argument in ("--set", target)]
    source = ["--input", "-", "--rate", str(RATE), "--sink", "stdout"]
    loaded = modules(*source, *given, "--runtime", "tflite", feed=True)
    assert "http" in loaded
    assert not loaded & (HEAVY | {"asyncio", "apprise", "requests", "urllib3", "httpx", "markdown"})


@pytest.mark.usefixtures("model")
def test_with_onnx_it_loads_its_runtime_and_nothing_else_heavy(modules, run):
    """Not `onnx` either, which builds the model file but does not run it."""
    pytest.importorskip("onnxruntime")
    if run("models", "verify", "yamnet").out.seen[-1].endswith("yamnet.onnx"):
        assert modules("--input", DEMO, "--runtime", "onnx") & HEAVY == {"onnxruntime"}
    else:
        pytest.skip("yamnet.onnx is not on this machine: sound-detector models pull yamnet")
