"""Socket addresses: two forms, read strictly, and a default for each platform."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigError, SinkError
from detector.wire.address import (
    TcpAddress,
    UnixAddress,
    check_default_folder,
    default_socket_uri,
    parse_address,
    subscriber_uris,
)


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("unix:///run/x.sock", UnixAddress("/run/x.sock")),
        ("unix://x.sock", UnixAddress("x.sock")),
        ("unix:///with space/ü.sock", UnixAddress("/with space/ü.sock")),
        ("tcp://127.0.0.1:8765", TcpAddress("127.0.0.1", 8765)),
        ("tcp://localhost:0", TcpAddress("localhost", 0)),
        ("tcp://[::1]:1", TcpAddress("::1", 1)),
        ("tls://pi.local:8765", TcpAddress("pi.local", 8765, tls=True)),
        ("tls://[::1]:1", TcpAddress("::1", 1, tls=True)),
    ],
)
def test_an_address_reads_back_as_it_is_written(uri, address):
    assert parse_address(uri) == address
    assert str(address) == uri


NO_ADDRESSES = """
x /run/x.sock unix:/x unix:// unix:///x/ unix:///a\0b udp://h:1 TCP://h:1 tcp:// tcp://:1 tcp://h tcp://h: tcp://h:x
tcp://h:-1 tcp://h:65536 tcp://h:1/ tcp://::1:5 tcp://[h]:1 tcp://h:² tcp://u@h:1 tls://h tls:h:1 tcp://a..b:1
tls://.h:1
"""


@pytest.mark.parametrize("uri", ["", f"tls://{'x' * 64}.local:1", *NO_ADDRESSES.split()])
def test_anything_else_is_refused_with_the_expected_form(uri):
    with pytest.raises(ConfigError, match=r"expected .*(unix|tcp)://"):
        parse_address(uri)


@given(st.text())
def test_no_text_makes_it_fail_otherwise(text):
    try:
        assert str(parse_address(text)) == text or text.startswith(("tcp://", "tls://"))
    except ConfigError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("loopback", "hosts"),
    [(True, "127.0.0.1 127.9.9.9 ::1 LocalHost"), (False, "0.0.0.0 192.168.1.2 example.org ::")],
)
def test_loopback_is_what_only_this_machine_reaches(loopback, hosts):
    assert [TcpAddress(host, 1).is_loopback for host in hosts.split()] == [loopback] * 4


XDG = {"XDG_RUNTIME_DIR": "/run/user/7"}


@pytest.mark.parametrize(
    ("environ", "platform", "uid", "uri"),
    [
        (XDG | {"RUNTIME_DIRECTORY": "/run/sd:/run/b"}, "linux", 999, "unix:///run/sd/events.sock"),
        (XDG, "linux", 7, "unix:///run/user/7/sound-detector/events.sock"),
        ({}, "linux", 0, "unix:///run/sound-detector/events.sock"),
        ({}, "linux", 7, "unix:///tmp/sound-detector-7/events.sock"),
        ({"TMPDIR": "/var/t"}, "darwin", 7, "unix:///var/t/sound-detector-7/events.sock"),
        (XDG, "win32", None, "tcp://127.0.0.1:8765"),
    ],
)
def test_the_default_socket(environ, platform, uid, uri):
    assert default_socket_uri(environ, platform, uid) == uri
    parse_address(uri)


def test_a_subscriber_looks_for_the_users_daemon_and_then_for_the_service():
    own, service = subscriber_uris(XDG, "linux", 7)
    assert own == default_socket_uri(XDG, "linux", 7)
    assert service == "unix:///run/sound-detector/events.sock"
    assert subscriber_uris({}, "linux", 0) == (service,)
    assert len(subscriber_uris({}, "win32", None)) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX owners and modes")
def test_a_default_folder_that_others_may_write_to_is_refused_in_one_line(tmp_path):
    folder = tmp_path / "sound-detector-7"
    address = UnixAddress(str(folder / "events.sock"))
    check_default_folder(address)
    folder.mkdir(mode=0o700)
    check_default_folder(address)
    folder.chmod(0o777)
    with pytest.raises(
        SinkError, match=r"sound-detector-7 belongs to another user, or others may write to it[^\n]*$"
    ):
        check_default_folder(address)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away"
)
def test_a_default_folder_of_another_user_is_refused(tmp_path):
    folder = tmp_path / "sound-detector-7"
    folder.mkdir(mode=0o700)
    os.chown(folder, 1234, 1234)
    with pytest.raises(SinkError, match="belongs to another user"):
        check_default_folder(UnixAddress(str(folder / "events.sock")))
