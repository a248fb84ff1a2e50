"""The Prometheus endpoint: what it says of a report, and to whom."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from detector.errors import SinkError
from detector.service.prometheus import MetricsServer
from detector.service.status_report import COUNTERS, GAUGES, prometheus_text
from detector.wire.message import ReportBody

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
    assert 'sound_detector_sink_written_total{sink="stdout"} 3' in named


def test_the_model_with_its_heads_is_told_and_what_is_unknown_is_not():
    text = prometheus_text(REPORT)
    assert r'sound_detector_info{model="yamnet+my \"door\"",version="0.1.0"} 1' in text
    assert "history_written" not in text


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
