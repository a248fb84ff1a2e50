"""How a connection is closed so that the other side still reads the last line."""

from __future__ import annotations

import asyncio
import contextlib

_LINGER_SECONDS = 1.0
"""How long the other side may go on sending before the connection is cut."""


def close_with_line(transport: asyncio.Transport, line: bytes) -> None:
    """Send a last line and close the connection."""
    transport.resume_reading()
    transport.write(line)
    if transport.can_write_eof():
        # To close with unread input would reset the connection, and the line might never arrive.
        with contextlib.suppress(OSError):
            transport.write_eof()
        asyncio.get_running_loop().call_later(_LINGER_SECONDS, transport.abort)
    else:
        transport.close()
