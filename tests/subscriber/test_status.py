"""`status` asks a real event socket and prints what it says."""

import contextlib
import io
import json
import socket
import threading

import pytest

from detector.cli.connection_flags import TOKEN_VARIABLE
from detector.cli.main import main
from detector.errors import SinkError
from detector.sinks.socket.server import SocketSink
from detector.subscriber.client import Credentials
from detector.subscriber.report_printer import status_command
from detector.wire.access import Access
from detector.wire.message import HelloBody, ReportBody
from tests.support.terminals import FakeTerminal

REPORT = ReportBody(
    {
        "state": "listening",
        "uptime_seconds": 7.0,
        "level_dbfs": None,
        "source": "Mic\x1b[2J",
        "sinks": [{"name": "stdout", "written": 3, "dropped": 0}],
    }
)


@contextlib.contextmanager
def serving(report=REPORT, access=None):
    sink = SocketSink(
        "tcp://127.0.0.1:0",
        hello=lambda: HelloBody(version="0", model="m", labels=(), source="Mic", run_id="run"),
        report=None if report is None else lambda: report,
        access=access or Access(),
    )
    sink.open()
    with contextlib.closing(sink):
        yield sink.uri


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text("0123456789abcdef")
    path.chmod(0o600)
    return str(path)


def nobody():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"tcp://127.0.0.1:{server.getsockname()[1]}"


def test_the_report_is_lines_for_people():
    out = io.StringIO()
    with serving() as uri:
        assert status_command([nobody(), uri], stdout=out) == 0
    assert out.getvalue().splitlines() == [
        "state           listening",
        "uptime seconds  7.0",
        "level dbfs      -",
        "source          Mic\\x1b[2J",
        "sink stdout     written 3, dropped 0",
    ]


def test_a_long_name_of_a_sink_moves_no_other_value():
    out = io.StringIO()
    name = "socket:unix:///run/user/1000/sound-detector/events.sock"
    with serving(ReportBody({"state": "listening", "sinks": [{"name": name, "written": 3}]})) as uri:
        status_command([uri], stdout=out)
    assert out.getvalue().splitlines() == ["state  listening", f"sink {name}  written 3"]


def test_each_source_has_a_line_of_its_own():
    porch = {
        "name": "porch",
        "state": "device_lost",
        "detail": "it is gone",
        "level_dbfs": None,
        "windows": 7,
    }
    attic = {"name": "attic", "state": "listening", "detail": "", "level_dbfs": -43.2, "windows": 1203}
    attic |= {"gain_db": 6.0, "windows_skipped": 12, "events": 40, "lost_seconds": 0.5, "late_seconds": 0.02}
    out = io.StringIO()
    with serving(
        ReportBody({"state": "device_lost", "source": "attic, porch", "sources": [attic, porch]})
    ) as uri:
        status_command([uri], stdout=out)
    assert out.getvalue().splitlines() == [
        "state  device_lost",
        "",
        "source  state         dBFS  gain  windows left out events  lost s late s",
        "attic   listening    -43.2   6.0     1203       12     40     0.5   0.02",
        "porch   device_lost      -     -        7        -      -       -      -",
        "    it is gone",
    ]


def test_many_sources_fit_a_terminal_of_80_columns_however_they_are_named():
    row = {"state": "device_lost", "level_dbfs": -103.2, "gain_db": -12.5, "windows": 31_536_000}
    row |= {"windows_skipped": 15_768_000, "events": 99_999, "lost_seconds": 99_999.9, "late_seconds": 60.25}
    detail = "the stream of the camera above the door is gone: 404 Not Found; " * 3
    sources = [
        {"name": "the-room-with-the-longest-name-" + str(i), "detail": f"{detail}{i}", **row}
        for i in range(16)
    ]
    out = io.StringIO()
    with serving(ReportBody({"sources": sources, "source": "a" * 400})) as uri:
        status_command([uri], stdout=out)
    assert len(out.getvalue().splitlines()) >= 2 * 16
    assert max(len(line) for line in out.getvalue().splitlines()) <= 80


def lines_below(details):
    """What the table says below its heading, without the lines of the sources themselves."""
    sources = [{"name": f"room{i}", "state": "listening", "detail": text} for i, text in enumerate(details)]
    out = io.StringIO()
    with serving(ReportBody({"sources": sources})) as uri:
        status_command([uri], stdout=out)
    (_, *lines) = out.getvalue().split("late s\n")[1].splitlines()
    return [line for line in lines if not line.startswith("room")]


def test_what_several_sources_have_in_common_is_said_once():
    slow = "this machine cannot keep up: windows are left out"
    assert lines_below(["", slow, "", slow]) == [f"    {slow} (room1, room3)"]
    assert lines_below([slow] * 16) == [f"    {slow} (all sources)"]
    many = lines_below([slow] * 12 + [""] * 4)
    assert " ".join(line.strip() for line in many) == f"{slow} (room0, room1, room2, room3 and 8 others)"
    assert all(len(line) < 80 for line in many)


def test_what_one_source_has_alone_is_below_its_line():
    out = io.StringIO()
    rows = [("attic", "slow"), ("porch", "gone"), ("yard", "slow")]
    sources = [{"name": name, "state": "listening", "detail": detail} for name, detail in rows]
    with serving(ReportBody({"sources": sources})) as uri:
        status_command([uri], stdout=out)
    names = [line.strip().partition("  ")[0] for line in out.getvalue().splitlines()]
    assert names[-5:] == ["attic", "porch", "gone", "yard", "slow (attic, yard)"]


def test_rules_and_targets_of_notifications_have_a_line_each():
    out = io.StringIO()
    rules = [{"rule": "alarms", "matched": 5, "sent": 5}]
    targets = [{"name": "phone", "sent": 5, "detail": "204"}]
    with serving(ReportBody({"notify_rules": rules, "notify_targets": targets})) as uri:
        assert status_command([uri], stdout=out) == 0
    assert out.getvalue().splitlines() == [
        "notify rule alarms   matched 5, sent 5",
        "notify target phone  sent 5, detail 204",
    ]


def test_or_one_line_of_json(capsys):
    with serving() as uri:
        assert main(["status", uri, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"type": "report", **REPORT.values, "schema": 1}


def test_json_is_printable_on_a_terminal():
    with serving(ReportBody({"source": "Mic\x9b2J"})) as uri:
        out = FakeTerminal()
        assert status_command([uri], as_json=True, stdout=out) == 0
    assert out.getvalue().removesuffix("\n").isprintable()
    assert json.loads(out.getvalue())["source"] == "Mic\x9b2J"


def test_no_daemon_is_one_line_and_exit_code_1(capsys):
    assert main(["status", nobody()]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("sound-detector: no daemon answers at tcp://127.0.0.1:")
    assert said.err.count("\n") == 1


def test_a_daemon_without_a_report_is_told():
    with (
        serving(report=None) as uri,
        pytest.raises(SinkError, match="refused: request: this program gives no report"),
    ):
        status_command([uri])


def test_the_token_comes_from_a_file_that_a_flag_or_a_variable_names(token_file, capsys, monkeypatch):
    with serving(access=Access(token_file=token_file)) as uri:
        with pytest.raises(SinkError, match="refused: token"):
            status_command([uri])
        assert status_command([uri], credentials=Credentials(token_file)) == 0
        assert main(["status", uri, "--token-file", token_file]) == 0
        monkeypatch.setenv(TOKEN_VARIABLE, token_file)
        assert main(["status", uri]) == 0
    assert "0123456789abcdef" not in "".join(capsys.readouterr())


def test_a_daemon_that_only_beats_is_left():
    ticks = iter(range(0, 100, 3))
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_beat, args=(server,))
        thread.start()
        with pytest.raises(SinkError, match="no report"):
            status_command([f"tcp://127.0.0.1:{server.getsockname()[1]}"], clock=lambda: next(ticks))
        thread.join(30)


def _beat(server):
    connection, _ = server.accept()
    with connection, contextlib.suppress(ConnectionError):
        while True:
            connection.sendall(b'{"type":"heartbeat"}\n')
