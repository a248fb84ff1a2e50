"""The password: its hash in a closed file, and what is refused."""

from __future__ import annotations

import io
import stat

import pytest

from detector.errors import AccessError, ConfigError
from detector.web.access.password import PasswordFile, PasswordHash, password_path
from detector.web.command import set_password

PASSWORD = "correct horse"  # noqa: S105


@pytest.fixture(scope="module")
def known():
    """A hash that costs next to nothing."""
    return PasswordHash.of(PASSWORD, cost=2)


@pytest.mark.parametrize("tried", ["", "Correct horse", PASSWORD + " ", PASSWORD + "x" * 2000, "\ud800", "é"])
def test_only_the_password_fits(known, tried):
    assert known.fits(PASSWORD)
    assert not known.fits(tried)


def test_the_line_of_the_file_says_how_it_was_made(known):
    assert PasswordHash.of(PASSWORD).text.startswith("scrypt$16384$8$5$")
    assert PASSWORD not in known.text
    assert PasswordHash.from_text(known.text) == known
    assert PASSWORD not in repr(known)


def test_the_same_password_set_again_is_another_one(known):
    again = PasswordHash.of(PASSWORD, cost=2)
    assert again.fits(PASSWORD)
    assert again.identity != known.identity


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "scrypt$16384$8$5$AAAA$AAAA",  # a hash of 3 bytes
        "scrypt$1000$8$1$AAAAAAAA$" + "A" * 44,  # no power of two
        "scrypt$67108864$8$1$AAAAAAAA$" + "A" * 44,  # 64 GB
        "scrypt$16384$8$99$AAAAAAAA$" + "A" * 44,
        "scrypt$16384$8$5$A$" + "A" * 44,  # no base64
        "bcrypt$16384$8$5$AAAAAAAA$" + "A" * 44,
    ],
)
def test_what_is_no_hash_or_would_cost_too_much_is_refused(text):
    assert PasswordHash.from_text(text) is None


def test_the_file_is_closed_and_read_again_when_it_changes(tmp_path):
    file = PasswordFile(tmp_path / "state" / "web-password")
    assert file.read() is None
    file.write(PASSWORD)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    first = file.read()
    assert first is not None
    assert first is file.read()
    file.write("another one")
    second = file.read()
    assert second is not None
    assert second.identity != first.identity
    file.path.unlink()
    assert file.read() is None


def test_an_empty_file_is_no_password(tmp_path):
    """As which systemd hands over a credential that root did not write."""
    (tmp_path / "web-password").write_bytes(b"")
    (tmp_path / "web-password").chmod(0o400)
    assert PasswordFile(tmp_path / "web-password").read() is None


def test_a_file_that_others_may_read_is_refused(tmp_path):
    file = PasswordFile(tmp_path / "web-password")
    file.write(PASSWORD)
    file.path.chmod(0o644)
    with pytest.raises(AccessError, match="everybody on this machine may read"):
        PasswordFile(file.path).read()


def test_a_file_with_something_else_is_refused_without_showing_it(tmp_path):
    (tmp_path / "web-password").write_text("hunter2\n")
    (tmp_path / "web-password").chmod(0o600)
    with pytest.raises(AccessError, match="expected the hash") as refused:
        PasswordFile(tmp_path / "web-password").read()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("password", ["", "seven77", "x" * 1025])
def test_a_password_that_is_too_short_or_too_long_is_refused(tmp_path, password):
    file = PasswordFile(tmp_path / "web-password")
    with pytest.raises(ConfigError):
        set_password(file, stdin=io.StringIO(f"{password}\n"))
    assert not file.path.exists()


def test_a_script_sets_it_on_standard_input(tmp_path, capsys):
    file = PasswordFile(tmp_path / "web-password")
    assert set_password(file, stdin=io.StringIO(f"{PASSWORD}\n")) == 0
    stored = file.read()
    assert stored is not None
    assert stored.fits(PASSWORD)
    assert PASSWORD not in capsys.readouterr().out


def test_where_it_is(tmp_path):
    """The service manager's copy comes before the user's own file, and the settings before both."""
    service = {"CREDENTIALS_DIRECTORY": "/run/x"}
    assert str(password_path("/my/file", service, tmp_path)) == "/my/file"
    assert str(password_path(None, service, tmp_path)) == "/run/x/web-password"
    assert password_path(None, {}, tmp_path) == tmp_path / "web-password"
