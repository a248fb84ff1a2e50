"""Downloads: what a good server gives, what each bad one is said to have done, and what is left on disk."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import pytest

from detector.errors import ModelError
from detector.modelstore.download import fetch
from tests.modelstore.conftest import Server

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Download:
    """One target in an empty folder, and what its progress said."""

    def __init__(self, folder: Path) -> None:
        self.target = folder / "model.bin"
        self.part = folder / "model.bin.part"
        self.progress: list[tuple[int, int]] = []

    def fetch(self, url: str, timeout: float = 10.0, deadline: float | None = None) -> None:
        fetch(
            url,
            self.target,
            size=len(CONTENT),
            sha256=SHA256,
            progress=lambda done, size: self.progress.append((done, size)),
            timeout=timeout,
            deadline=deadline,
        )


@pytest.fixture
def download(tmp_path: Path) -> Download:
    return Download(tmp_path)


@pytest.fixture(autouse=True)
def content(server: Server) -> None:
    server.content = CONTENT


@pytest.mark.parametrize("manner", ["right", "redirected"])
def test_a_good_server_gives_the_file_and_leaves_nothing_else(
    server: Server, download: Download, manner: str
) -> None:
    download.fetch(server.url(manner))
    assert download.target.read_bytes() == CONTENT
    assert list(download.target.parent.iterdir()) == [download.target]
    assert download.progress[0] == (0, len(CONTENT))
    assert download.progress[-1] == (len(CONTENT), len(CONTENT))
    assert download.progress == sorted(download.progress)


def test_a_transfer_that_broke_off_goes_on_where_it_stopped(server: Server, download: Download) -> None:
    with pytest.raises(ModelError, match=r"^it ended after 128000 of 256000 bytes$"):
        download.fetch(server.url("truncated"))
    assert not download.target.exists()
    download.fetch(server.url("right"))
    assert download.target.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=128000-"]


def test_a_server_without_ranges_starts_over(server: Server, download: Download) -> None:
    download.part.write_bytes(CONTENT[:1000])
    download.fetch(server.url("no_range"))
    assert download.target.read_bytes() == CONTENT


@pytest.mark.parametrize("old", [b"something else", CONTENT[:-1] + b"?", CONTENT + b"and more"])
def test_a_part_that_is_of_another_file_does_not_spoil_this_one(
    server: Server, download: Download, old: bytes
) -> None:
    download.part.write_bytes(old)
    download.fetch(server.url("right"))
    assert download.target.read_bytes() == CONTENT


def test_a_complete_part_needs_no_server(download: Download) -> None:
    download.part.write_bytes(CONTENT)
    download.fetch("http://127.0.0.1:1/")
    assert download.target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("manner", "message"),
    [
        ("stalled", "no answer within 1 s"),
        ("missing", "the server answered 404 Not Found"),
        ("flipped", f"it is another file: expected sha256 {SHA256[:12]}..., got "),
        ("longer", "it is longer than the 256000 bytes expected"),
    ],
)
def test_a_bad_server_is_one_clear_line_and_no_file(
    server: Server, download: Download, manner: str, message: str
) -> None:
    with pytest.raises(ModelError) as caught:
        download.fetch(server.url(manner), timeout=1.0 if manner == "stalled" else 10.0)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert not download.target.exists()


def test_what_was_wrong_is_not_kept_to_go_on_from(server: Server, download: Download) -> None:
    with pytest.raises(ModelError):
        download.fetch(server.url("flipped"))
    assert not download.part.exists()


def test_a_refused_connection_is_one_clear_line(download: Download) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        with pytest.raises(ModelError, match=r"^Connection refused$"):
            download.fetch(f"http://127.0.0.1:{taken.getsockname()[1]}/")


def test_a_server_that_never_answers_is_given_up(download: Download) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(ModelError, match=r"^no answer within 1 s$"),
    ):
        download.fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=1.0)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/a"])
def test_only_http_is_spoken(download: Download, url: str) -> None:
    with pytest.raises(ModelError):
        download.fetch(url)
    assert not download.target.exists()


@pytest.mark.parametrize("manner", ["dripping", "dripping_headers"])
def test_a_server_that_sends_a_byte_now_and_then_is_left_at_the_deadline(
    server: Server, download: Download, manner: str
) -> None:
    with pytest.raises(ModelError, match=r"^it is too slow: not whole after 0 s;"):
        download.fetch(server.url(manner), deadline=0.3)
    assert not download.target.exists()


def test_a_servers_words_cannot_change_the_terminal_and_are_cut(server: Server, download: Download) -> None:
    with pytest.raises(ModelError) as caught:
        download.fetch(server.url("hostile_reason"))
    assert str(caught.value).startswith(r"the server answered 404 \x1b[2J\x9b31mlong long")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 130
