"""Decides who somebody is, by the rules, the password, the sessions and the limits on log-ins."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from detector.errors import AccessError
from detector.web.access.log_in_limits import LogInLimits
from detector.web.access.password import PasswordFile, PasswordHash
from detector.web.access.policy import AccessPolicy
from detector.web.access.roles import Role, Visitor
from detector.web.access.sessions import SessionTable

_LOG = logging.getLogger(__name__)

MOST_WAITING = 4
"""Log-ins that are checked or wait for it at once; more are told to try again."""


@dataclass(frozen=True, slots=True)
class LogInResult:
    """What came of a log-in."""

    token: str = ""
    """The session's; empty where there is none."""
    wait: int = 0
    """Seconds after which to try again; 0 where that makes no difference."""


class Doorkeeper:
    """Knows everybody who is logged in; used by one event loop."""

    def __init__(
        self,
        policy: AccessPolicy,
        password: PasswordFile,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises AccessError where the page must not be served so; `clock` gives seconds."""
        self.policy = policy
        self._password = password
        self._known: PasswordHash | None = password.read()
        policy.check(password_set=self._known is not None)
        self._sessions = SessionTable(clock, days=policy.session_days)
        self._limits = LogInLimits(clock)
        self._open_csrf = secrets.token_urlsafe(32)
        self._waiting = 0
        self._one_at_a_time = asyncio.Lock()

    @property
    def password_set(self) -> bool:
        """Whether there is a password."""
        return self._current() is not None

    @property
    def session_seconds(self) -> int:
        """How long a session lasts."""
        return self._sessions.seconds

    def visitor(self, token: str) -> Visitor:
        """Who shows this token; an empty one is none."""
        known, may_change = self._current(), not self.policy.read_only
        if known is None and self.policy.is_open:
            return Visitor(Role.OWNER, self._open_csrf, may_change=may_change)
        session = self._sessions.find(token, known.identity) if known is not None else None
        if session is not None:
            return Visitor(Role.OWNER, session.csrf, may_change=may_change)
        return Visitor(Role.GUEST if self.policy.guests else Role.NOBODY)

    async def log_in(self, password: str, address: str) -> LogInResult:
        """Check a password that came from an address; one at a time, each at the same cost."""
        known = self._current()
        if known is None:
            return LogInResult()
        if self._waiting >= MOST_WAITING:
            return LogInResult(wait=1)
        if wait := self._limits.take(address):
            return LogInResult(wait=math.ceil(wait))
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                fits = await asyncio.to_thread(known.fits, password)
        finally:
            self._waiting -= 1
        if not fits:
            _LOG.warning("web.log_in_refused address=%s", address)
            return LogInResult()
        self._limits.forgive(address)
        return LogInResult(self._sessions.open(known.identity))

    def log_out(self, token: str) -> None:
        """End a session."""
        self._sessions.close(token)

    def _current(self) -> PasswordHash | None:
        """The password; while its file cannot be used, the last one."""
        try:
            self._known = self._password.read()
        except AccessError as error:
            _LOG.warning("web.password_unreadable reason=%r, so the one before holds", str(error))
        return self._known
