"""One file from one address: bounded in time and size, resumed where it broke off, checked before it counts.

The bytes gather in `TARGET.part`, which stays after a broken transfer and is asked to go on from there
(HTTP Range, RFC 9110 section 14); only a file of the right size and sha256 takes the target's name.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from detector import __version__
from detector.errors import ModelError
from detector.files.guarded import part_file, part_of
from detector.files.terminal import escape
from detector.modelstore.checksum import sha256_of
from detector.remote.deadline import DeadlinePassed, IsLate, within
from detector.remote.http_opener import failure_reason, make_opener

CONNECT_SECONDS = 5.0
"""Time limit for a name look-up, a connection and each answer; then the next source is tried."""
MIN_DEADLINE_SECONDS = 60.0
"""Time for the whole answer, beside what its bytes take at the slowest."""
SLOWEST = 8 * 1024
"""Bytes a second, on the whole; a source that is slower is left for the next one."""
CHUNK = 64 * 1024

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called with the bytes received so far and the total."""


def fetch(
    url: str,
    target: Path,
    *,
    size: int,
    sha256: str,
    progress: Progress,
    timeout: float = CONNECT_SECONDS,
    deadline: float | None = None,
) -> None:
    """Download `url` to `target`; ModelError gives the reason, without the address.

    `timeout` bounds each answer, `deadline` [s] the whole; None is a time that depends on the size.
    """
    whole = MIN_DEADLINE_SECONDS + size / SLOWEST if deadline is None else deadline
    part = part_of(target)
    try:
        with part_file(target) as file:
            resumed = _transfer(url, file, size, progress, timeout, whole)
            try:
                check_file(file, size=size, sha256=sha256)
            except ModelError:
                file.truncate(0)  # the old part may have been what was wrong
                if not resumed:
                    part.unlink()
                    raise
                _transfer(url, file, size, progress, timeout, whole)
                check_file(file, size=size, sha256=sha256)
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise ModelError(f"{part}: cannot be written: {error.strerror}") from error


def check_file(file: BinaryIO, *, size: int, sha256: str) -> None:
    """Check what a file holds; ModelError where size or sha256 are wrong."""
    file.seek(0)
    check_content(file.read(size + 1), size=size, sha256=sha256)


def check_content(content: bytes, *, size: int, sha256: str) -> None:
    """Check a file's content, read to one byte past the size at most; ModelError where it is wrong."""
    if len(content) != size:
        given = "more" if len(content) > size else len(content)
        raise ModelError(f"expected {size} bytes, got {given}")
    got = sha256_of(content)
    if got != sha256:
        raise ModelError(f"it is another file: expected sha256 {sha256[:12]}..., got {got[:12]}...")


def _transfer(
    url: str, file: BinaryIO, size: int, progress: Progress, timeout: float, deadline: float
) -> bool:
    """Download into the part file; return whether it resumed an earlier one."""
    here = file.seek(0, os.SEEK_END)
    if here > size:
        file.truncate(0)
        here = 0
    if here == size:
        return True
    request = urllib.request.Request(url, headers={"User-Agent": f"sound-detector/{__version__}"})  # noqa: S310
    if here:
        request.add_header("Range", f"bytes={here}-")
    _check_resolves(request, timeout)

    def receive(is_late: IsLate) -> tuple[bool, int]:
        with make_opener().open(request, timeout=timeout) as answer:
            resumes = answer.status == http.client.PARTIAL_CONTENT and _starts_at(answer, here)
            return resumes, _copy(answer, file, here if resumes else 0, size, progress, is_late)

    try:
        resumed, done = _within(deadline, receive)
        file.flush()
    except urllib.error.HTTPError as error:
        error.close()
        raise ModelError(f"the server answered {error.code} {escape(str(error.reason)[:80])}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ModelError(failure_reason(error, timeout)) from error
    if done < size:
        raise ModelError(f"it ended after {done} of {size} bytes")
    return resumed


def _copy(
    answer: http.client.HTTPResponse,
    file: BinaryIO,
    here: int,
    size: int,
    progress: Progress,
    is_late: IsLate,
) -> int:
    file.seek(here)
    file.truncate()
    progress(here, size)
    while chunk := answer.read1(min(CHUNK, size - here + 1)):
        here += len(chunk)
        if here > size:
            raise ValueError(f"it is longer than the {size} bytes expected")
        if is_late():
            break
        file.write(chunk)
        progress(here, size)
    return here


def _within(seconds: float, receive: Callable[[IsLate], T]) -> T:
    """Each byte of an answer, also of its headers, may take as long as the timeout: the whole may not."""
    try:
        return within(seconds, receive)
    except DeadlinePassed as error:
        raise ModelError(
            f"it is too slow: not whole after {seconds:.0f} s; the rest is asked for the next time"
        ) from error


def _starts_at(answer: http.client.HTTPResponse, here: int) -> bool:
    return bool(here) and str(answer.headers.get("Content-Range", "")).startswith(f"bytes {here}-")


def _check_resolves(request: urllib.request.Request, timeout: float) -> None:
    """Look a name up with a time limit, in a child process, since the resolver cannot be interrupted."""
    address = urllib.parse.urlsplit(request.full_url)
    host = address.hostname or ""
    if address.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return  # the proxy looks the name up
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return  # an address, no name
    look_up = "import socket, sys; socket.getaddrinfo(sys.argv[1], None)"
    command = [sys.executable, "-I", "-c", look_up, host]
    try:
        found = subprocess.run(command, timeout=timeout, capture_output=True, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        found = False
    if not found:
        raise ModelError(f"the name {host} cannot be looked up")
