"""Who is logged in: sessions, in memory alone, so that they end with the process."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_SESSIONS = 64
"""Sessions at once; one more ends the one that was used least recently."""
_MOST_TOKEN_CHARACTERS = 128
DAY = 86400.0


@dataclass(frozen=True, slots=True, repr=False)
class LogIn:
    """One browser that knew the password."""

    csrf: str
    """What the header `X-CSRF-Token` of its changing requests must be."""
    password: bytes
    """The identity of the password that it knew."""
    ends: float
    """When it is over, whatever it does [s of the table's clock]."""


class SessionTable:
    """All sessions. A token is kept as its hash: whoever reads the memory has no cookie."""

    def __init__(self, clock: Callable[[], float], *, days: float) -> None:
        """`clock` gives seconds; a session ends so many days after the log-in."""
        self._clock = clock
        self._seconds = days * DAY
        self._sessions: OrderedDict[bytes, LogIn] = OrderedDict()

    @property
    def seconds(self) -> int:
        """How long a session lasts."""
        return int(self._seconds)

    def open(self, password: bytes) -> str:
        """Begin a session of somebody who knew the password with this identity; returns its token."""
        token = secrets.token_urlsafe(32)
        session = LogIn(secrets.token_urlsafe(32), password, self._clock() + self._seconds)
        self._sessions[_key(token)] = session
        while len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return token

    def find(self, token: str, password: bytes) -> LogIn | None:
        """The session of a token, if it lasts and the password is still the same."""
        if not token or len(token) > _MOST_TOKEN_CHARACTERS:
            return None
        key = _key(token)
        session = self._sessions.get(key)
        if session is None:
            return None
        if session.ends <= self._clock() or session.password != password:
            del self._sessions[key]
            return None
        self._sessions.move_to_end(key)
        return session

    def close(self, token: str) -> None:
        """End a session, if there is one."""
        self._sessions.pop(_key(token[:_MOST_TOKEN_CHARACTERS]), None)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
