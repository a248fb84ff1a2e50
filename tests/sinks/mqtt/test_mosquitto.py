"""The MQTT sink with a real broker: killed, absent, refusing, with TLS, and no broker at all."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time

import pytest

from detector.assemble.endpoints import make_sink
from detector.config.sink_settings import SinkKinds
from detector.sinks.mqtt.mqtt_settings import MqttSettings
from detector.wire.message import StatusBody
from tests.support.fakes import LONG, wait_until
from tests.support.keys import make_keys
from tests.support.mosquitto import Collector, Mosquitto, why_not
from tests.support.mqtt_daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not())]

NODE = {"node": "hall"}
BASE = "sound-detector/hall"


@pytest.fixture
def daemon(tmp_path):
    with contextlib.ExitStack() as stack:

        def make(*arguments, **settings):
            made = Daemon(tmp_path, *arguments, **settings)
            stack.callback(made.dispatcher.close)
            return made

        yield make


@pytest.fixture
def broker(tmp_path):
    with contextlib.ExitStack() as stack:

        def make(*lines, start=True):
            made = Mosquitto(tmp_path, *lines)
            stack.callback(made.kill)
            if start:
                made.start()
            return made

        yield make


@pytest.fixture
def collector():
    with contextlib.ExitStack() as stack:

        def make(port):
            made = Collector(port)
            stack.callback(made.close)
            made.wait_until_subscribed()
            return made

        yield make


def missing(collector, count):
    """Numbers that have not come, and how often others came again without saying so."""
    events = collector.json("/events")
    seqs = [event["seq"] for event in events]
    again = [event["seq"] for event in events if event.get("resent")]
    unsaid = len(seqs) - len(set(seqs)) - len(again)
    return sorted(set(range(1, count + 1)) - set(seqs)), max(0, unsaid)


@pytest.mark.parametrize("version", ["mqtt5", "mqtt311"])
def test_live_and_stored_events_reach_a_broker_in_both_versions(daemon, broker, collector, version):
    hub = broker()
    seen = collector(hub.port)
    here = daemon(f"mqtt://{hub.host}", mqtt_version=version)
    seen.wait("/availability", lambda payload: payload == b"online")
    here.tell()
    seen.wait("/events")
    assert [event["seq"] for event in seen.json("/events")] == [1]
    seen.wait("/detected")
    seen.wait("/class/dog", lambda payload: payload == b"ON")
    seen.publish(f"{BASE}/listen/set", "OFF")
    seen.wait("/listen", lambda payload: payload == b"OFF")
    assert here.paused == [True]
    here.dispatcher.publish(StatusBody(state="device_lost", source="Mic", time=None))
    seen.wait("/source/state", lambda payload: payload == b"lost")
    here.dispatcher.close()
    assert seen.wait("/availability", lambda payload: payload == b"offline")
    assert seen.wait("/class/dog", lambda payload: payload == b"OFF")
    time.sleep(0.2)
    ends = [payload for topic, payload, _ in seen.messages if topic.endswith("/availability")]
    assert ends[-2:] == [b"online", b"offline"], "a clean end publishes no will"


def test_ten_thousand_events_of_an_outage_arrive_and_none_looks_live(daemon, broker, collector):
    hub = broker(start=False)
    here = daemon(f"mqtt://{hub.host}")
    wait_until(lambda: here.is_in_state("lost"))
    here.tell(10_000)
    wait_until(lambda: here.counts.events_waiting == 10_000)
    hub.start()
    seen = collector(hub.port)
    here.dispatcher.reopen()  # else the next try is up to a minute away
    wait_until(lambda: here.counts.acknowledged_seq == 10_000)
    wait_until(lambda: len(seen.json("/events")) >= 10_000)
    assert missing(seen, 10_000) == ([], 0)
    assert here.counts.events_resent == 0
    assert len(seen.json("/detected")) <= 100


def test_a_broker_that_is_killed_again_and_again_gets_every_event(daemon, broker, collector):
    hub = broker()
    seen = collector(hub.port)
    here = daemon(f"mqtt://{hub.host}")
    acknowledged = set()
    for first in (1, 401):
        here.tell(200)
        hub.kill()
        here.tell(200)
        wait_until(lambda: here.is_in_state("lost"))
        acknowledged |= {*range(first, here.counts.acknowledged_seq + 1)}
        hub.start()
        seen.wait_until_subscribed()
        wait_until(lambda: here.counts.events_waiting == 0)
        wait_until(lambda: here.counts.acknowledged_seq in {event["seq"] for event in seen.json("/events")})
    assert here.counts.acknowledged_seq == 800
    lost, unsaid = missing(seen, 800)
    # What Mosquitto had acknowledged and not delivered when it was killed, nobody has.
    assert acknowledged.issuperset(lost)
    assert unsaid == 0


def test_a_sink_that_takes_the_place_of_another_shows_what_is_so_now(daemon, broker, collector):
    """As a reload does: the old one says goodbye after the new one has come."""
    hub = broker()
    seen = collector(hub.port)
    here = daemon(f"mqtt://{hub.host}", classes=("Dog", "Siren"))
    seen.wait("/class/siren")
    (old,) = here.sinks
    new = make_sink(MqttSettings(f"mqtt://{hub.host}", **NODE, classes=("Dog",)), here.context)
    here.dispatcher.exchange(add=[new], remove=[old])
    wait_until(lambda: here.is_in_state("connected"))
    retained = {}

    def is_settled():
        retained.update({topic.removeprefix(BASE): payload for topic, payload, _ in [*seen.messages]})
        told = [retained.get(f"/{name}") for name in ("availability", "source/state", "class/siren")]
        return told == [b"online", b"ok", b""]

    wait_until(is_settled)


def test_a_wrong_password_is_said_in_one_line_and_the_right_one_gets_in(daemon, broker, tmp_path, caplog):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "ada", "right"], check=True)
    passwords.chmod(0o644)
    hub = broker("allow_anonymous false", f"password_file {passwords}")
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    secret.chmod(0o600)
    here = daemon(f"mqtt://ada@{hub.host}", password_file=str(secret))
    wait_until(lambda: here.is_in_state("refused"))
    assert (
        here.counts.detail == "the broker says: wrong user name or password"
        or "not let in" in here.counts.detail
    )
    time.sleep(1.5)  # it has been tried again
    assert len([line for line in caplog.messages if "mqtt.refused" in line]) == 1
    secret.write_text("right\n")
    here.dispatcher.reopen()
    wait_until(lambda: here.is_in_state("connected"))
    assert "right" not in caplog.text
    assert "wrong\n" not in caplog.text


def make_certificate(folder, *validity):
    """An authority's own certificate for localhost; validity as `openssl x509` takes it."""
    make_keys(folder)
    if validity:
        run = ["openssl", "x509", "-in", "certificate.pem", "-signkey", "key.pem", "-out", "certificate.pem"]
        subprocess.run([*run, *validity], cwd=folder, check=True, capture_output=True)
    return (
        "allow_anonymous true",
        f"certfile {folder}/certificate.pem",
        f"keyfile {folder}/key.pem",
    )


def test_tls_with_a_certificate_that_fits(daemon, broker, tmp_path):
    hub = broker(*make_certificate(tmp_path))
    here = daemon(f"mqtts://{hub.host}", ca_file=str(tmp_path / "certificate.pem"))
    wait_until(lambda: here.is_in_state("connected"))
    here.tell(3)
    wait_until(lambda: here.counts.acknowledged_seq == 3)


def test_a_certificate_that_has_expired_is_refused(daemon, broker, tmp_path):
    hub = broker(*make_certificate(tmp_path, "-days", "-1"))
    here = daemon(f"mqtts://{hub.host}", ca_file=str(tmp_path / "certificate.pem"))
    wait_until(lambda: here.is_in_state("refused"))
    assert here.counts.detail == "the broker's certificate is not accepted: certificate has expired"


def test_a_broker_that_asks_for_a_certificate(daemon, broker, tmp_path):
    lines = make_certificate(tmp_path)
    hub = broker(*lines, f"cafile {tmp_path}/certificate.pem", "require_certificate true")
    files = {"ca_file": str(tmp_path / "certificate.pem")}
    without = daemon(f"mqtts://{hub.host}", **files)
    wait_until(lambda: without.is_in_state("refused"))
    assert "certificate" in without.counts.detail.lower()
    without.dispatcher.close()
    mine = {"client_certificate": files["ca_file"], "client_key": str(tmp_path / "key.pem")}
    here = daemon(f"mqtts://{hub.host}", **files, **mine)
    wait_until(lambda: here.is_in_state("connected"))


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail ESMTP\r\n", bytes(range(256)), b""]
)
def test_what_is_no_broker_is_said_to_be_none(daemon, answer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = daemon(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        server.settimeout(10)
        for _ in range(2):
            connection, _ = server.accept()
            connection.sendall(answer)
            connection.close()
        wait_until(lambda: not here.is_in_state("connecting"))
    assert here.is_in_state("refused") or here.is_in_state("lost")


def test_a_broker_of_3_1_1_that_cannot_serve_is_not_said_to_speak_another_version(daemon):
    """As nats-server does when its disk is full."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = daemon(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        server.settimeout(LONG)
        for answer in (b"\x20\x02\x00\x01", b""):
            connection, _ = server.accept()
            connection.recv(4096)
            connection.sendall(answer)
            connection.close()
        wait_until(lambda: not here.is_in_state("connecting"))
    assert "another version" not in here.counts.detail


def test_without_a_history_memory_keeps_the_newest(daemon, broker, collector, caplog):
    caplog.set_level("INFO")
    hub = broker(start=False)
    here = daemon(f"mqtt://{hub.host}", history=False)
    here.tell(1200)
    wait_until(lambda: here.counts.events_waiting == 1000)
    hub.start()
    seen = collector(hub.port)
    wait_until(lambda: here.counts.acknowledged_seq == 1200)
    wait_until(lambda: len(seen.json("/events")) == 1000)
    assert here.counts.events_lost == 200
    assert len([line for line in caplog.messages if "mqtt.no_history" in line]) == 1


def test_the_names_of_the_sink_are_those_of_the_command_line():
    kinds = SinkKinds((MqttSettings,))
    assert kinds.parse("mqtts://ada@hub:1").target == "mqtts://ada@hub:1"
