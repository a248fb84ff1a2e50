"""The connection of the page to the daemon's event socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from detector.errors import SinkError
from detector.subscriber.client import NOTHING, Credentials
from detector.subscriber.report_request import request_report


class DaemonLink:
    """Asks the daemon; that none is there is no fault."""

    def __init__(self, uris: Sequence[str], credentials: Credentials = NOTHING) -> None:
        """`uris` are the addresses at which to look for a daemon, in this order."""
        self._uris = uris
        self._credentials = credentials

    async def report(self) -> Mapping[str, object] | None:
        """The daemon's report (`docs/protocol.md`); None where none answers."""
        try:
            _, report = await asyncio.to_thread(request_report, self._uris, credentials=self._credentials)
        except SinkError:
            return None
        return report.values
