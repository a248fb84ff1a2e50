"""Spectrogram and sound over WebSockets: frames, many viewers, slow ones, a daemon that goes or refuses."""

from __future__ import annotations

import base64
import json
import math
import struct
from dataclasses import replace

import pytest
from starlette.websockets import WebSocketDisconnect

from detector.web.access import role_watch
from detector.web.access.roles import SCOPE_KEY, Role, Visitor
from detector.web.api import live_routes
from detector.web.app import make_app
from detector.web.daemon_link import DaemonLink
from detector.web.live_frames import sound_frame, sound_head, spectrogram_frame, spectrogram_head
from detector.wire.live_bodies import SoundBody, SpectrogramBody
from tests.support.fake_daemon import FakeDaemon
from tests.support.fakes import wait_until
from tests.support.history_stores import T0
from tests.support.invented_sounds import SOURCES
from tests.support.web_pages import TestClient, changing, log_in, make_doorkeeper, open_page

PASSWORD = "correct horse"  # noqa: S105
TIME = "2026-08-01T14:03:21.500Z"
COLUMNS = SpectrogramBody(
    source="Mic",
    level_dbfs=-30.5,
    bands=3,
    columns=2,
    low_hertz=125.0,
    high_hertz=7500.0,
    columns_per_second=20,
    data=base64.b64encode(bytes([1, 2, 3, 4, 5, 255])).decode(),
    time=TIME,
)
SAMPLES = SoundBody(
    source="Mic",
    sample_rate=16000,
    start=2**32 + 7,
    samples=2,
    data=base64.b64encode(struct.pack("<hh", -1, 300)).decode(),
    time=TIME,
)


def test_a_frame_of_a_spectrogram_has_its_time_its_level_and_its_columns():
    frame = spectrogram_frame(COLUMNS)
    assert frame[:4] == bytes([1, 3, 2, 0])
    assert struct.unpack_from("<df", frame, 4) == (T0, -30.5)
    assert frame[16:] == bytes([1, 2, 3, 4, 5, 255])
    assert spectrogram_head(COLUMNS) == {
        "bands": 3,
        "low_hertz": 125.0,
        "high_hertz": 7500.0,
        "scale": "mel",
        "columns_per_second": 20,
        "source": "Mic",
    }


def test_silence_has_a_level_that_is_no_number():
    assert math.isnan(struct.unpack_from("<f", spectrogram_frame(replace(COLUMNS, level_dbfs=None)), 12)[0])


def test_a_frame_of_sound_has_the_time_and_number_of_its_first_sample():
    frame = sound_frame(SAMPLES)
    assert frame[:4] == bytes([1, 0, 0, 0])
    first, number = struct.unpack_from("<dI", frame, 4)
    assert first == pytest.approx(T0 - 2 / 16000)
    assert number == 7
    assert struct.unpack_from("<hh", frame, 16) == (-1, 300)
    assert sound_head(SAMPLES) == {
        "sample_rate": 16000,
        "channels": 1,
        "format": "s16le",
        "source": "Mic",
    }


@pytest.mark.parametrize("changes", [{"data": "%%"}, {"data": ""}, {"columns": 3}, {"bands": 300}])
def test_a_damaged_spectrogram_makes_no_frame(changes):
    assert spectrogram_frame(replace(COLUMNS, **changes)) is None


@pytest.mark.parametrize("changes", [{"data": "%%"}, {"data": "AAA="[:2]}, {"sample_rate": 0}])
def test_damaged_sound_makes_no_frame(changes):
    assert sound_frame(replace(SAMPLES, **changes)) is None


@pytest.fixture
def daemon(tmp_path):
    with FakeDaemon(tmp_path / "events.sock") as fake:
        yield fake


@pytest.fixture
def page(parts, daemon):
    with open_page(replace(parts, daemon=DaemonLink([daemon.uri]))) as client:
        yield client


@pytest.mark.parametrize("query", ["", "?source=kitchen"])
def test_the_live_spectrogram_begins_with_its_head(page, query):
    with page.websocket_connect(f"/api/v1/live{query}") as socket:
        head = json.loads(socket.receive_text())
        frames = [socket.receive_bytes() for _ in range(2)]
    assert (head["bands"], head["columns_per_second"], head["source"]) == (64, 20, "kitchen")
    assert [len(frame) for frame in frames] == [16 + 128] * 2


def test_live_sound_is_sent_to_the_owner(page):
    with page.websocket_connect("/api/v1/listen", params={"source": SOURCES[1]}) as socket:
        head = json.loads(socket.receive_text())
        assert len(socket.receive_bytes()) == 16 + 3200
    assert head["source"] == SOURCES[1]


def test_guests_see_and_do_not_hear(parts, daemon):
    app = make_app(replace(parts, daemon=DaemonLink([daemon.uri])))

    async def as_guest(scope, receive, send):
        known = {**scope, SCOPE_KEY: Visitor(Role.GUEST)}
        await (app if scope["type"] == "lifespan" else app.router)(known, receive, send)

    with TestClient(as_guest) as client:
        with client.websocket_connect("/api/v1/live") as socket:
            socket.receive_text()
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/api/v1/listen"):
            pass


def test_a_source_that_is_not_there_is_refused(page):
    code, reason = closing(page, "/api/v1/live?source=%3Cscript%3E")
    assert code == 4404
    assert "<script>" in reason
    code, reason = closing(page, "/api/v1/live?source=" + "x" * 5000)
    assert code == 4404
    assert len(reason.encode()) <= 123


def closing(page, path):
    """The code and reason with which a socket is closed."""
    with page.websocket_connect(path) as socket:
        message = socket.receive()
        while message["type"] != "websocket.close":
            message = socket.receive()
    return message["code"], message["reason"]


def test_a_daemon_that_gives_no_sound_says_so(page, daemon):
    daemon.sound = False
    code, reason = closing(page, "/api/v1/listen")
    assert code == 4404
    assert "sound: true" in reason


def test_viewers_are_asked_to_come_again_when_the_daemon_goes(page, daemon):
    with page.websocket_connect("/api/v1/live") as socket:
        socket.receive_text()
        daemon.stop()
        message = socket.receive()
        while message["type"] != "websocket.close":
            message = socket.receive()
    assert message["code"] == 1013
    assert closing(page, "/api/v1/live")[0] == 1013


def test_all_viewers_of_a_source_share_one_connection(page, daemon):
    with page.websocket_connect("/api/v1/live") as one, page.websocket_connect("/api/v1/live") as two:
        one.receive_text()
        two.receive_text()
        assert daemon.watching["spectrogram"] == 1
    wait_until(lambda: daemon.watching["spectrogram"] == 0)


def test_whoever_logs_out_hears_no_more(parts, daemon, tmp_path, monkeypatch):
    monkeypatch.setattr(role_watch, "LOOK_SECONDS", 0.01)
    doorkeeper = make_doorkeeper(tmp_path / "access", password=PASSWORD)
    with open_page(replace(parts, daemon=DaemonLink([daemon.uri]), doorkeeper=doorkeeper)) as page:
        assert log_in(page, PASSWORD).status_code == 204
        with page.websocket_connect("/api/v1/listen") as socket:
            socket.receive_text()
            assert page.delete("/api/v1/session", headers=changing(page)).status_code == 204
            message = socket.receive()
            while message["type"] != "websocket.close":
                message = socket.receive()
        assert message["code"] == 4401
        with pytest.raises(WebSocketDisconnect), page.websocket_connect("/api/v1/listen"):
            pass


def test_only_so_many_watch_at_once(page, monkeypatch):
    monkeypatch.setattr(live_routes, "MOST_WATCHERS", 1)
    with page.websocket_connect("/api/v1/live") as socket:
        socket.receive_text()
        assert closing(page, "/api/v1/live")[0] == 1013
