"""The Prometheus endpoint: what it says of a report, and to whom."""

from __future__ import annotations

import contextlib
import re
import socket
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from detector.errors import SinkError
from detector.service.metrics_text import COUNTERS, GAUGES, SOURCE_COUNTERS, SOURCE_GAUGES, prometheus_text
from detector.service.prometheus import LateMetricsServer, MetricsServer
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.wire.message import ReportBody
from tests.support.fakes import LONG, wait_until

REPORT = ReportBody(
    {
        **dict.fromkeys([*GAUGES, *COUNTERS], 1.5),
        "history_written": None,
        "state": "listening",
        "model": 'yamnet+my "door"',
        "version": "0.1.0",
        "sinks": [{"name": "stdout", "written": 3, "dropped": 0, "failed": 0}],
    }
)


def test_every_number_has_help_and_a_type_before_it():
    lines = prometheus_text(REPORT).splitlines()
    named = [line for line in lines if not line.startswith("#")]
    for line in named:
        name = re.split(r"[ {]", line)[0]
        assert any(help_line.startswith(f"# HELP {name} ") for help_line in lines), name
        assert f"# TYPE {name} counter" in lines or f"# TYPE {name} gauge" in lines, name
    assert "sound_detector_level_dbfs 1.5" in named
    assert "sound_detector_windows_total 1.5" in named
    assert "sound_detector_listening 1" in named
    assert "sound_detector_overloaded 0" in named
    assert 'sound_detector_sink_written_total{sink="stdout"} 3' in named


def test_the_model_with_its_heads_is_told_and_what_is_unknown_is_not():
    text = prometheus_text(REPORT)
    assert r'sound_detector_info{model="yamnet+my \"door\"",version="0.1.0"} 1' in text
    assert "history_written" not in text


def test_each_of_several_sources_is_told():
    assert "sound_detector_source" not in prometheus_text(REPORT)
    numbers = dict.fromkeys([*SOURCE_GAUGES, *SOURCE_COUNTERS], 1.5)
    sources = [
        {"name": "porch", "state": "listening", "overloaded": True, **numbers},
        {"name": "yard", "state": "device_lost", **numbers, "gain_db": None},
    ]
    text = prometheus_text(ReportBody(REPORT.values | {"sources": sources}))
    assert 'sound_detector_source_listening{source="porch"} 1\n' in text
    assert 'sound_detector_source_listening{source="yard"} 0\n' in text
    assert 'sound_detector_source_overloaded{source="porch"} 1\n' in text
    assert 'sound_detector_source_overloaded{source="yard"} 0\n' in text
    assert 'sound_detector_source_blocks_dropped_total{source="yard"} 1.5\n' in text
    assert 'sound_detector_source_gain_db{source="yard"}' not in text


def test_what_became_of_notifications_is_told_where_there_are_some():
    assert "notify" not in prometheus_text(REPORT)
    rule = {"rule": "alarms", "matched": 5, "sent": 2, "digested": 1, "held": 2, "dropped": 0}
    target = {"name": "phone", "sent": 2, "failed": 0, "expired": 1, "dropped": 0, "retries": 3}
    text = prometheus_text(ReportBody(REPORT.values | {"notify_rules": [rule], "notify_targets": [target]}))
    assert 'sound_detector_notify_rule_matched_total{rule="alarms"} 5' in text
    assert 'sound_detector_notify_target_expired_total{target="phone"} 1' in text


def test_a_pause_and_the_brokers_are_told():
    brokers = [BrokerCounts("mqtt://hub:1883", state="connected", events_waiting=7).report]
    text = prometheus_text(ReportBody({**REPORT.values, "state": "paused", "brokers": brokers}))
    assert "sound_detector_paused 1\n" in text
    assert "sound_detector_listening 0\n" in text
    assert 'sound_detector_mqtt_connected{broker="mqtt://hub:1883"} 1\n' in text
    assert 'sound_detector_mqtt_events_waiting{broker="mqtt://hub:1883"} 7\n' in text
    assert 'sound_detector_mqtt_detected_late_total{broker="mqtt://hub:1883"} 0\n' in text


def test_it_answers_on_loopback_and_only_there_and_only_that():
    with closing(MetricsServer(0, lambda: "a 1\n")) as server:
        server.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics?x=1", timeout=30) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert answer.read() == b"a 1\n"
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/", timeout=30)
        refused.value.close()
        with pytest.raises(SinkError, match=r"choose another metrics\.port"):
            MetricsServer(server.port, str)


def test_one_that_never_started_ends_too():
    server = MetricsServer(0, str)
    server.close()
    with closing(MetricsServer(server.port, str)) as again:
        assert again.port == server.port


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def read(server):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer:
        return answer.read()


def test_slow_requests_make_room_for_others():
    with closing(MetricsServer(0, lambda: "a 1\n", most=3)) as server, contextlib.ExitStack() as stack:
        server.start()
        slow = [stack.enter_context(connect(server)) for _ in range(10)]
        for connection in slow:
            connection.sendall(b"GET /metr")
        assert [connection.recv(1) for connection in slow[:7]] == [b""] * 7
        assert read(server) == b"a 1\n"


def test_a_request_that_drips_is_ended():
    """Each byte comes in time; all of them would not."""
    with closing(MetricsServer(0, lambda: "a 1\n", seconds=0.2)) as server:
        server.start()
        with connect(server) as connection, contextlib.suppress(ConnectionError):
            while True:
                connection.sendall(b"x")
                connection.settimeout(0.05)
                try:
                    assert connection.recv(1) == b""
                    break
                except TimeoutError:
                    continue


def test_resets_are_no_news(capsys, caplog):
    with closing(MetricsServer(0, lambda: "a 1\n")) as server:
        server.start()
        for _ in range(20):
            with connect(server) as connection:
                connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        assert read(server) == b"a 1\n"
    assert capsys.readouterr().err == ""
    news = [record.getMessage() for record in caplog.records if record.levelname != "DEBUG"]
    assert [line for line in news if not line.startswith("metrics.listening ")] == []


def test_of_a_service_a_port_that_is_taken_is_waited_for(caplog):
    first = MetricsServer(0, lambda: "first")
    late = LateMetricsServer(lambda: MetricsServer(first.port, lambda: "late"), retry_seconds=0.01)
    late.start()
    wait_until(lambda: "metrics.waiting cannot listen" in caplog.text)
    first.close()

    def answer() -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{first.port}/metrics", timeout=LONG) as got:
                return str(got.read().decode())
        except OSError:
            return ""

    wait_until(lambda: answer() == "late")
    late.close()
    assert answer() == ""


def test_a_port_that_stays_taken_holds_up_no_end():
    first = MetricsServer(0, lambda: "first")
    late = LateMetricsServer(lambda: MetricsServer(first.port, lambda: "late"))
    late.start()
    late.close()
    first.close()
