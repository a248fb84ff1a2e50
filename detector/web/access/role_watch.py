"""Streams and WebSockets last for long: they end when whoever opened them has logged out or may no longer."""

from __future__ import annotations

import asyncio

from starlette.requests import HTTPConnection

from detector.web.access.doorkeeper import Doorkeeper
from detector.web.access.roles import visitor_of
from detector.web.access.visitors import session_token

LOOK_SECONDS = 5.0
"""How long a stream may outlive its session."""


async def role_lost(connection: HTTPConnection, doorkeeper: Doorkeeper) -> None:
    """Wait until whoever opened a connection is no longer what they were then."""
    role, token = visitor_of(connection).role, session_token(connection)
    while doorkeeper.visitor(token).role >= role:
        await asyncio.sleep(LOOK_SECONDS)
