"""Who gets in, as the settings say: what is too open is refused, and no secret is told."""

import os

import pytest

from detector.errors import AccessError, SinkError
from detector.wire.access import Access, Keys, client_context, read_keys, read_token
from detector.wire.address import parse_address

TOKEN = "0123456789abcdef"  # noqa: S105
posix = pytest.mark.skipif(os.name != "posix", reason="files have no modes here")


@pytest.fixture
def token_file(tmp_path):
    def write(text, mode=0o600):
        path = tmp_path / "token"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return str(path)

    return write


WITH_TOKEN = {"token_file": "t"}
WITH_TLS = {"certificate": "c", "key": "k"}


def fault(access, uri):
    """What is wrong with opening an address so; None where nothing is."""
    try:
        access.check(parse_address(uri))
    except SinkError as error:
        return str(error)
    return None


@pytest.mark.parametrize("uri", ["unix:///run/x", "tcp://127.0.0.1:1", "tcp://[::1]:1", "tcp://localhost:1"])
def test_this_machine_needs_nothing(uri):
    assert fault(Access(), uri) is None


@pytest.mark.parametrize("uri", ["tcp://0.0.0.0:1", "tcp://[::]:1", "tcp://192.0.2.1:1", "tcp://pi.local:1"])
def test_other_machines_need_a_token_and_tls_unless_insecure(uri):
    for too_open in ({}, WITH_TLS, {"insecure": True}, WITH_TLS | {"insecure": True}):
        assert "without a token" in fault(Access(**too_open), uri)
    assert "unencrypted" in fault(Access(**WITH_TOKEN), uri)
    assert fault(Access(**WITH_TOKEN, **WITH_TLS), uri) is None
    assert fault(Access(**WITH_TOKEN, insecure=True), uri) is None


def test_certificate_and_key_come_together():
    for one in ({"certificate": "c"}, {"key": "k"}):
        assert "give both" in fault(Access(**one), "tcp://127.0.0.1:1")
    assert "needs a certificate" in fault(Access(), "tls://127.0.0.1:1")


@pytest.mark.parametrize("text", [TOKEN, f"{TOKEN}\n", f"  {TOKEN}\r\n\n"])
def test_a_token_is_one_line(token_file, text):
    assert read_token(token_file(text)) == TOKEN.encode()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "16 to 1024 characters, got 0"),
        ("short", "got 5"),
        (TOKEN[:15], "got 15"),
        ("x" * 5000, "got 1025"),
        (f"{TOKEN}\n{TOKEN}", "one line"),
        (f"{TOKEN} x", "without spaces"),
        ("ü" * 20, "ASCII"),
        (b"\xff" * 20, "ASCII"),
        (TOKEN + "\0", "one line"),
    ],
)
def test_what_is_no_token_is_refused_and_not_repeated(token_file, text, fault):
    with pytest.raises(SinkError, match=fault) as caught:
        read_token(token_file(text))
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)


@posix
@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666])
def test_a_token_that_others_may_read_or_write_is_refused(token_file, mode):
    with pytest.raises(SinkError, match="everybody"):
        read_token(token_file(TOKEN, mode))


@posix
@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640])
def test_a_token_of_owner_and_group_is_taken(token_file, mode):
    assert read_token(token_file(TOKEN, mode)) == TOKEN.encode()


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(SinkError, match="cannot be read: No such file"):
        read_token(str(tmp_path / "none"))
    with pytest.raises(SinkError, match="token file"):
        read_token(str(tmp_path))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "fifo", 0o600)
        with pytest.raises(SinkError, match="expected a file"):
            read_token(str(tmp_path / "fifo"))


def test_the_token_is_not_in_what_is_shown_of_the_keys(token_file):
    keys = read_keys(Access(token_file=token_file(TOKEN)))
    assert keys.token == TOKEN.encode()
    assert TOKEN not in repr(keys)
    assert read_keys(Access()) == Keys()


def test_a_certificate_with_its_key_is_taken(keys):
    context = read_keys(Access(certificate=f"{keys}/certificate.pem", key=f"{keys}/key.pem")).tls
    assert context.minimum_version.name == "TLSv1_2"


@posix
def test_a_key_that_others_may_read_is_refused(keys, tmp_path):
    key = tmp_path / "key.pem"
    key.write_bytes((keys / "key.pem").read_bytes())
    key.chmod(0o644)
    with pytest.raises(SinkError, match="everybody"):
        read_keys(Access(certificate=f"{keys}/certificate.pem", key=str(key)))


def test_what_is_no_certificate_or_no_key_is_one_line(keys, tmp_path):
    for certificate, key in [("token", "key.pem"), ("certificate.pem", "token"), ("none", "key.pem")]:
        with pytest.raises(SinkError, match="cannot be used") as caught:
            read_keys(Access(certificate=f"{keys}/{certificate}", key=f"{keys}/{key}"))
        assert "\n" not in str(caught.value)


def test_an_encrypted_key_is_refused_without_a_question(keys, tmp_path):
    import subprocess

    locked = tmp_path / "locked.pem"
    command = [
        "openssl",
        "ec",
        "-in",
        f"{keys}/key.pem",
        "-aes256",
        "-passout",
        "pass:x",
        "-out",
        str(locked),
    ]
    subprocess.run(command, check=True, capture_output=True)
    locked.chmod(0o600)
    with pytest.raises(SinkError, match="not encrypted"):
        read_keys(Access(certificate=f"{keys}/certificate.pem", key=str(locked)))


def test_a_client_verifies_unless_told_not_to(keys):
    import ssl

    assert client_context(None).verify_mode is ssl.CERT_REQUIRED
    assert client_context(f"{keys}/certificate.pem").check_hostname
    assert client_context(None, verify=False).verify_mode is ssl.CERT_NONE
    for nonsense in ("token", "none"):
        with pytest.raises(SinkError, match="--ca"):
            client_context(f"{keys}/{nonsense}")


def test_secrets_that_cannot_be_used_are_a_fault_in_the_settings(tmp_path):
    """Nobody but a person can mend it: the service manager must not try again."""
    for access in (Access(token_file=str(tmp_path / "absent")), Access(certificate="absent", key="absent")):
        with pytest.raises(AccessError) as caught:
            read_keys(access)
        assert caught.value.exit_code == 2
