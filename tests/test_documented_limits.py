"""The limits that docs/security.md promises are those of the code."""

from __future__ import annotations

import importlib

import pytest

from detector.backends import labelfiles, modelyaml
from detector.config import yamltext
from detector.config.web_settings import WebSettings
from detector.evaluation import class_map
from detector.modelstore import checksum, torchfile
from detector.service import prometheus
from detector.sinks.socket.limits import ServerLimits
from detector.sources import file_part, sndfile
from detector.subscriber import client
from detector.web.access import log_in_limits, password, sessions
from detector.wire import access, request
from tests.support import ROOT

SOCKET = ServerLimits()
EACH, TOGETHER = log_in_limits.PER_ADDRESS, log_in_limits.ALL_TOGETHER

LIMITS = {
    "settings, `model.yaml`": (
        f"{yamltext.MAX_BYTES} bytes, {yamltext.MAX_DEPTH} levels; the first {yamltext.MAX_FAULTS} faults"
    ),
    "labels, ontology and other tables of a model": (
        f"{labelfiles.MAX_TABLE_BYTES} bytes; {labelfiles.MAX_ANCESTORS} classes above one class"
    ),
    "a file of a model": (
        f"{modelyaml.MAX_FILE_BYTES} bytes, unpacked too; its side-car {checksum.MAX_SIDECAR_BYTES}"
    ),
    "what a model wants": (
        f"{modelyaml.MAX_SAMPLE_RATE} Hz, windows of {modelyaml.MAX_WINDOW_SECONDS:g} s, "
        f"{modelyaml.MAX_FFT} points, {modelyaml.MAX_BANDS} bands, {modelyaml.MAX_FRAMES} frames"
    ),
    "what a head remembers": f"{modelyaml.MAX_CONTEXT_SECONDS:g} s",
    "the class table of `evaluate`": f"{class_map.MAX_TABLE_BYTES} bytes",
    "a recording": (
        f"{sndfile.RATES_HZ[0]} to {sndfile.RATES_HZ[-1]} Hz; "
        f"{file_part.MOST_CHUNKS} chunks or tags before its sound"
    ),
    "a subscriber's request": f"{request.MAX_REQUEST_BYTES} bytes",
    "a token": f"{access.MIN_TOKEN_LENGTH} to {access.MAX_TOKEN_BYTES} characters",
    "subscribers": (
        f"{SOCKET.max_clients}; "
        f"{SOCKET.client_buffer_bytes} bytes and {SOCKET.backlog_length} messages for each"
    ),
    "connections without a token yet": (
        f"{SOCKET.max_pending}, {SOCKET.max_pending_per_host} of one address, "
        f"{SOCKET.entry_seconds:g} s for each"
    ),
    "the metrics port": (
        f"{prometheus.MAX_CONNECTIONS} connections, {prometheus.REQUEST_SECONDS:g} s for each"
    ),
    "the web page's password and sessions": (
        f"{password.MIN_LENGTH} characters to {password.MAX_BYTES} bytes; "
        f"{sessions.MOST_SESSIONS} sessions, {WebSettings().session_days:g} days"
    ),
    "log-ins to the web page": (
        f"{EACH.burst} of one address and one more each {EACH.seconds:g} s; "
        f"{TOGETHER.burst} of all and one more each {TOGETHER.seconds:g} s; "
        f"{log_in_limits.MOST_ADDRESSES} addresses remembered"
    ),
    "a line that `listen` takes": f"{client.MAX_LINE_BYTES} bytes",
}


def test_the_limits_of_the_web_page_are_as_they_are_written():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    http = pytest.importorskip("detector.web.bounded_http", reason="needs the extra [web]").LIMITS
    body = importlib.import_module("detector.web.access.body_limit")
    connections = f"{http.connections}, {http.per_address} of one address that is no proxy"
    headers = f"headers {http.header_bytes} bytes in {http.header_seconds:g} s"
    content = f"a body of {body.MAX_BODY_BYTES} bytes in {body.BODY_SECONDS:g} s"
    idle = f"{http.idle_seconds:g} s for a client that reads nothing"
    assert f"| connections to the web page | {connections} |" in page
    assert f"| a request to the web page | {headers}, {content}; {idle} |" in page


def test_the_limits_of_streams_are_as_they_are_written():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    pytest.importorskip("starlette", reason="needs the extra [web]")
    stream = importlib.import_module("detector.web.event_stream")
    late = importlib.import_module("detector.web.daemon_link").MOST_WAITING
    live = importlib.import_module("detector.web.api.live_routes").MOST_WATCHERS
    events = f"{stream.MOST_STREAMS} of events, {late} messages late at most"
    assert f"| streams of the web page | {events}; {live} of spectrograms and live sound |" in page


def test_the_limits_of_uploads_are_as_they_are_written():
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    pytest.importorskip("starlette", reason="needs the extra [web]")
    upload = importlib.import_module("detector.web.api.teach_routes").UPLOADS["/api/v1/teach/takes"]
    takes = importlib.import_module("detector.web.desk.take_folder")
    sound = importlib.import_module("detector.web.desk.take_sound")
    content = f"{upload.most_bytes} bytes in {upload.seconds:g} s; {sound.MOST_SECONDS:g} s of sound"
    kept = f"{takes.MOST_PENDING} takes that wait, {takes.MOST_TAKES} of a sound, {takes.MOST_SOUNDS} sounds"
    assert f"| a sound uploaded to the web page | {content}; {kept} |" in page


@pytest.mark.parametrize("what", LIMITS)
def test_a_limit_is_as_it_is_written(what):
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert f"| {what} | {LIMITS[what]} |" in page


def test_weights_are_unpacked_up_to_the_same_size():
    assert torchfile.MAX_BYTES == modelyaml.MAX_FILE_BYTES
