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
from typing import BinaryIO

from detector import __version__
from detector.errors import ModelError
from detector.modelstore.checksum import sha256_of

CONNECT_SECONDS = 5.0
"""Time limit for a name look-up, a connection and each answer; then the next source is tried."""
CHUNK = 64 * 1024

Progress = Callable[[int, int], None]
"""Called with the bytes received so far and the total."""


def fetch(
    url: str, target: Path, *, size: int, sha256: str, progress: Progress, timeout: float = CONNECT_SECONDS
) -> None:
    """Download `url` to `target`; ModelError gives the reason, without the address."""
    part = part_of(target)
    resumed = _transfer(url, part, size, progress, timeout)
    try:
        install(target, size=size, sha256=sha256)
    except ModelError:
        part.unlink()
        if not resumed:
            raise
        _transfer(url, part, size, progress, timeout)  # the old part may have been what was wrong
        install(target, size=size, sha256=sha256)


def part_of(target: Path) -> Path:
    """The path of a target's part file, which is written until it is complete."""
    return target.with_name(target.name + ".part")


def install(target: Path, *, size: int, sha256: str) -> None:
    """Rename the complete part file to its target; ModelError where size or sha256 are wrong."""
    part = part_of(target)
    content = part.read_bytes()
    if len(content) != size:
        given = "more" if len(content) > size else len(content)  # readers stop one byte past the size
        raise ModelError(f"expected {size} bytes, got {given}")
    got = sha256_of(content)
    if got != sha256:
        raise ModelError(f"it is another file: expected sha256 {sha256[:12]}..., got {got[:12]}...")
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)


def _transfer(url: str, part: Path, size: int, progress: Progress, timeout: float) -> bool:
    """Download into the part file; return whether it resumed an earlier one."""
    here = part.stat().st_size if part.is_file() else 0
    if here > size:
        part.unlink()
        here = 0
    if here == size:
        return True
    request = urllib.request.Request(url, headers={"User-Agent": f"sound-detector/{__version__}"})  # noqa: S310
    if here:
        request.add_header("Range", f"bytes={here}-")
    _check_resolves(request, timeout)
    try:
        with _opener().open(request, timeout=timeout) as answer:
            if answer.status != http.client.PARTIAL_CONTENT or not _starts_at(answer, here):
                here = 0
            with part.open("ab" if here else "wb") as file:
                done = _copy(answer, file, here, size, progress)
                file.flush()
                os.fsync(file.fileno())
    except urllib.error.HTTPError as error:
        error.close()
        raise ModelError(f"the server answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ModelError(_reason(error, timeout)) from error
    if done < size:
        raise ModelError(f"it ended after {done} of {size} bytes")
    return here > 0


def _copy(answer: http.client.HTTPResponse, file: BinaryIO, here: int, size: int, progress: Progress) -> int:
    progress(here, size)
    while chunk := answer.read1(min(CHUNK, size - here + 1)):
        here += len(chunk)
        if here > size:
            raise ValueError(f"it is longer than the {size} bytes expected")
        file.write(chunk)
        progress(here, size)
    return here


def _starts_at(answer: http.client.HTTPResponse, here: int) -> bool:
    return bool(here) and str(answer.headers.get("Content-Range", "")).startswith(f"bytes {here}-")


def _opener() -> urllib.request.OpenerDirector:
    """Make an opener that follows redirects and the user's proxies, and knows http and https only."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.HTTPRedirectHandler,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


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


def _reason(error: Exception, timeout: float) -> str:
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return f"no answer within {timeout:g} s"
    text = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return text or type(cause).__name__
