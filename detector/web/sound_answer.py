"""A clip's sound as an answer: whole or a part of it, as players ask for it (RFC 9110, Range)."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from email.utils import formatdate

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE_BYTES = 64 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """From and up to which byte (not included) is asked for; None where all of it is.

    Raises ValueError where there is no such part. For what is no range, or several, all is sent.
    """
    match = None if header is None else _RANGE.fullmatch(header.replace(" ", ""))
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:  # the last so many bytes
        first, last = max(0, size - int(match[2])), size - 1
        if not int(match[2]):
            raise ValueError("an empty range")
    else:
        first = int(match[1])
        last = min(int(match[2]), size - 1) if match[2] else size - 1
        if match[2] and int(match[2]) < first:
            return None
    if first >= size:
        raise ValueError("a range behind the end")
    return first, last + 1


class SoundAnswer(Response):
    """Sends a file from its open descriptor, and closes it."""

    def __init__(
        self, descriptor: int, *, media_type: str, request_headers: Mapping[str, str], download: str | None
    ) -> None:
        """`download` is the name under which a browser should save it; None is to play it."""
        status = os.fstat(descriptor)
        size, tag = status.st_size, f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        self._descriptor, self._part = descriptor, (0, size)
        headers = {
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "ETag": tag,
            "Last-Modified": formatdate(status.st_mtime, usegmt=True),
        }
        if download is not None:
            headers["Content-Disposition"] = f'attachment; filename="{download}"'
        code = 200
        if tag in request_headers.get("if-none-match", ""):
            code, self._part = 304, (0, 0)
        else:
            same = request_headers.get("if-range", tag) == tag
            try:
                part = wanted_range(request_headers.get("range"), size) if same else None
            except ValueError:
                code, self._part = 416, (0, 0)
                headers["Content-Range"] = f"bytes */{size}"
            else:
                if part is not None:
                    code, self._part = 206, part
                    headers["Content-Range"] = f"bytes {part[0]}-{part[1] - 1}/{size}"
        if code != 304:
            headers["Content-Length"] = str(self._part[1] - self._part[0])
        super().__init__(None, code, headers, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it in pieces."""
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            at, end = (0, 0) if scope["method"] == "HEAD" else self._part
            while at < end:
                piece = await asyncio.to_thread(os.pread, self._descriptor, min(PIECE_BYTES, end - at), at)
                if not piece:
                    break  # somebody cut it off meanwhile: the length is wrong, and the connection ends
                at += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            os.close(self._descriptor)
