"""Addresses of recordings: which are read, and how they are shown."""

import pickle

import pytest

from detector.errors import ConfigError
from detector.remote.remote_address import RemoteAddress, is_address, redacted

SECRET = "hunter2"  # noqa: S105


@pytest.mark.parametrize(
    ("text", "shown", "name"),
    [
        ("https://host/a.wav", "https://host/a.wav", "a.wav"),
        ("HTTPS://host:8443/june/a%20b.wav", "https://host:8443/june/a%20b.wav", "a b.wav"),
        (f"https://me:{SECRET}@host/a.wav", "https://host/a.wav", "a.wav"),
        (f"https://{SECRET}@host/a.wav", "https://host/a.wav", "a.wav"),
        (f"https://host/a.wav?X-Amz-Signature={SECRET}#part", "https://host/a.wav?…", "a.wav"),
        ("s3://bucket/june/a?b#c.wav", "s3://bucket/june/a?b#c.wav", "a?b#c.wav"),
        (f"sftp://me:{SECRET}@host/a.wav", "sftp://me@host/a.wav", "a.wav"),
        ("abfs://box@account/a.wav", "abfs://box@account/a.wav", "a.wav"),
    ],
)
def test_what_is_shown_of_an_address_holds_no_secret(text, shown, name):
    address = RemoteAddress.parse(text)
    assert (str(address), address.name) == (shown, name)
    assert SECRET not in f"{address} {address!r} {address.public_url}"
    assert pickle.loads(pickle.dumps(address)).url == address.url  # noqa: S301


@pytest.mark.parametrize(
    "text",
    [
        *(f"zip://a.wav::https://me:{SECRET}@host/b.zip", f"file:///{SECRET}", f"s3://a::file://{SECRET}"),
        *("https://", f"https://host:port{SECRET}/a.wav", f"simplecache::s3://{SECRET}"),
    ],
)
def test_other_addresses_are_refused_without_being_quoted(text):
    with pytest.raises(ConfigError) as refused:
        RemoteAddress.parse(text)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("text", ["a.wav", "/a/b.wav", "C:\\a.wav", "a:b.wav", "./s3:/a", "-"])
def test_a_path_is_no_address(text):
    assert not is_address(text)


def test_a_web_address_is_asked_for_in_ascii_and_without_who_logs_in():
    address = RemoteAddress.parse("https://me:p%40w@host/ü a.wav?q=ä b")
    assert address.request_url == "https://host/%C3%BC%20a.wav?q=%C3%A4%20b"
    assert address.credentials == ("me", "p@w")
    assert address.public_url == ""
    assert RemoteAddress.parse("https://host/a b.wav").public_url == "https://host/a%20b.wav"


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://me:{SECRET}@host/a failed",
        f"403 for https://host/a?sig={SECRET}&x=1",
        f"bad request\naccount_key={SECRET}; more",
        f"Secret Access Key: {SECRET}",
    ],
)
def test_what_others_say_is_shown_in_one_line_without_secrets(text):
    shown = redacted(text)
    assert SECRET not in shown
    assert "\n" not in shown
    assert shown
