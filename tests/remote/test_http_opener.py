"""Redirects that are not followed."""

import urllib.request
from email.message import Message
from io import BytesIO

import pytest

from detector.remote.http_opener import Downgraded, make_opener


def test_https_does_not_become_http():
    opener = make_opener()
    headers = Message()
    headers["Location"] = "http://host/a.wav"
    request = urllib.request.Request("https://host/a.wav")
    with pytest.raises(Downgraded, match="from https to http"):
        opener.error("http", request, BytesIO(), 302, "Found", headers)
