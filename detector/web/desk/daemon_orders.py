"""What the page asks of the daemon beside its events: pause, reload, its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from detector.errors import SinkError
from detector.subscriber.client import NOTHING, Credentials
from detector.subscriber.control_request import OrderRefused, request_control
from detector.subscriber.report_request import request_report
from detector.subscriber.verdict_request import NoDaemon
from detector.web.daemon_link import DaemonLink
from detector.web.desk.refusals import Refused


class DaemonOrders:
    """One connection for each order; the report is the page's own."""

    def __init__(self, link: DaemonLink, uris: Sequence[str], credentials: Credentials = NOTHING) -> None:
        """`uris` are those of the link."""
        self._link = link
        self._uris = uris
        self._credentials = credentials

    async def report(self) -> Mapping[str, object] | None:
        """The daemon's report, at most a second old; None where none answers."""
        return await self._link.report()

    async def new_report(self) -> Mapping[str, object] | None:
        """Its report of this moment."""
        try:
            ask = partial(request_report, self._uris, credentials=self._credentials)
            _, report = await self._link.threads.run(ask)
        except SinkError:
            return None
        return report.values

    async def pause(self, paused: bool) -> str:
        """Pause the daemon, or let it go on; returns what it says. Raises Refused."""
        return await self._order({"pause": paused})

    async def reload(self) -> str:
        """Let the daemon read its settings again; returns what it says. Raises Refused."""
        return await self._order({"reload": True})

    async def _order(self, order: Mapping[str, bool]) -> str:
        try:
            ask = partial(request_control, self._uris, order, credentials=self._credentials)
            answer = await self._link.threads.run(ask)
        except NoDaemon as error:
            raise Refused(503, "the daemon is not running") from error
        except (OrderRefused, SinkError) as error:
            raise Refused(502, str(error)) from error
        message = str(answer.get("message", ""))
        if not answer.get("done"):
            faults = answer.get("faults")
            why = [str(fault) for fault in faults] if isinstance(faults, list) else []
            raise Refused(502, ": ".join([message or "the daemon did not do it", *why[:1]]), why)
        return message
