"""A file on a web server, in ranges of bytes (RFC 9110, section 14), without any package.

Each answer says which version it is of. A server that sends the whole file instead is left at its header.
"""

from __future__ import annotations

import base64
import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import NoReturn, TypeVar

from detector import __version__
from detector.errors import UnsupportedFormat
from detector.remote.deadline import DeadlinePassed, IsLate, within
from detector.remote.http_opener import Downgraded, failure_reason, make_opener
from detector.remote.range_reader import PlaceUnreachable, Retryable, Stamp, changed
from detector.remote.remote_address import RemoteAddress, redacted

ANSWER_SECONDS = 20.0
"""Time limit for a connection, and for each piece of an answer."""
DEADLINE_SECONDS = 60.0
"""Time for the whole answer, beside what its bytes take at the slowest."""
SLOWEST = 32 * 1024
"""Bytes a second: as fast as sound of 16 kHz passes."""
LONGEST_WAIT = 60.0
"""What a server may ask for by Retry-After [s]."""
CHUNK = 256 * 1024
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)")

T = TypeVar("T")


class HttpRanges:
    """Fills `RangeReader`; `answer_seconds` and `deadline_seconds` are for tests."""

    def __init__(
        self,
        address: RemoteAddress,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._address = address
        self._answer_seconds = answer_seconds
        self._deadline_seconds = deadline_seconds

    def stamp(self) -> Stamp:
        """By asking for one byte: an address that is signed for GET allows no HEAD."""
        stamp, _ = self._ask(0, 1)
        return stamp

    def read(self, start: int, stop: int, stamp: Stamp) -> bytes:
        """As RangeReader says."""
        now, content = self._ask(start, stop)
        if not now.is_same(stamp):
            raise changed(self._address)
        return content

    def _ask(self, start: int, stop: int) -> tuple[Stamp, bytes]:
        request = urllib.request.Request(  # noqa: S310 - http and https alone
            self._address.request_url,
            headers={
                "User-Agent": f"sound-detector/{__version__}",
                "Range": f"bytes={start}-{stop - 1}",
                "Accept-Encoding": "identity",
            },
        )
        if login := self._address.credentials:
            token = base64.b64encode(":".join(login).encode()).decode()
            request.add_unredirected_header("Authorization", f"Basic {token}")

        def receive(is_late: IsLate) -> tuple[Stamp, bytes]:
            with make_opener().open(request, timeout=self._answer_seconds) as answer:
                return self._content(answer, start, stop, is_late)

        return self._explained(receive, self._deadline_seconds + (stop - start) / SLOWEST)

    def _content(
        self, answer: http.client.HTTPResponse, start: int, stop: int, is_late: IsLate
    ) -> tuple[Stamp, bytes]:
        is_all = answer.status == http.client.OK and start == 0 and answer.length == stop
        given = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if is_all:  # a server may say so of a range that is the whole file
            size, wanted = stop, stop
        elif answer.status != http.client.PARTIAL_CONTENT or given is None or given[1] is None:
            raise UnsupportedFormat(
                f"cannot read {self._address}: its server does not send parts of a file (byte ranges); "
                "download it first"
            )
        else:
            size = int(given[3])
            wanted = min(stop, size) - start
            if int(given[1]) != start or int(given[2]) - start + 1 != wanted:
                raise Retryable("the server sent another part than was asked for")
        content = bytearray()
        while len(content) < wanted and not is_late():
            chunk = answer.read1(min(CHUNK, wanted - len(content)))
            if not chunk:
                raise Retryable(f"the server closed the connection after {len(content)} of {wanted} bytes")
            content += chunk
        return _stamp(size, answer.headers), bytes(content)

    def _explained(self, receive: Callable[[IsLate], T], seconds: float) -> T:
        """Turn what may go wrong into errors that say what to do."""
        try:
            return within(seconds, receive)
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error)
        except Downgraded as error:
            raise UnsupportedFormat(f"cannot read {self._address}: {error}") from None
        except DeadlinePassed:
            raise Retryable(f"too slow: the answer was not whole after {seconds:.0f} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = redacted(failure_reason(error, self._answer_seconds))
            cause = getattr(error, "reason", error)
            if isinstance(cause, ssl.SSLCertVerificationError | ValueError | Downgraded):
                raise PlaceUnreachable(f"cannot read {self._address}: {reason}") from None
            raise Retryable(reason) from None

    def _refused(self, error: urllib.error.HTTPError) -> NoReturn:
        what = f"the server answered {error.code} {redacted(str(error.reason))}".rstrip()
        if error.code in (401, 403):
            raise PlaceUnreachable(f"cannot read {self._address}: {what}")
        if error.code in (408, 425, 429) or error.code >= 500:
            raise Retryable(what, _asked_wait(error.headers.get("Retry-After")))
        if error.code == 416 and (given := _RANGE.fullmatch(error.headers.get("Content-Range", ""))):
            if given[3] == "0":
                raise UnsupportedFormat(f"{self._address} is empty (0 bytes); expected a sound file")
            raise changed(self._address)
        raise UnsupportedFormat(f"cannot read {self._address}: {what}")


def _stamp(size: int, headers: Message) -> Stamp:
    try:
        modified = round(parsedate_to_datetime(headers.get("Last-Modified", "")).timestamp() * 1e9)
    except (ValueError, TypeError, OverflowError, IndexError):
        modified = 0
    return Stamp(size, modified, headers.get("ETag", ""))


def _asked_wait(text: str | None) -> float:
    """Seconds of a Retry-After; a date in it is not worth the trouble."""
    return min(float(text), LONGEST_WAIT) if text is not None and text.strip().isdigit() else 0.0
