"""The page in this process, as a client sees it: for tests of its routes."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have httpx's successor
    from starlette.testclient import TestClient as StarletteClient

from detector.web.access.doorkeeper import Doorkeeper
from detector.web.access.password import PasswordFile, PasswordHash
from detector.web.access.policy import AccessPolicy
from detector.web.app import make_app
from detector.web.daemon_link import DaemonLink
from detector.web.parts import WebParts

__all__ = ["BASE", "TestClient", "changing", "log_in", "make_doorkeeper", "make_parts", "open_page"]

BASE = "http://127.0.0.1:8790"


class TestClient(StarletteClient):
    """Starlette's, which opens WebSockets under the page's own name too."""

    __test__ = False

    def __init__(self, app: Any, base_url: str = BASE, **kwargs: Any) -> None:
        super().__init__(app, base_url, **kwargs)

    def websocket_connect(self, url: str, *args: Any, **kwargs: Any) -> Any:
        """Open one: a context manager."""
        address = str(self.base_url).replace("http", "ws", 1).rstrip("/")
        return super().websocket_connect(address + url, *args, **kwargs)


def make_parts(folder: Path, **changes: Any) -> WebParts:
    """What routes need: no daemon, a history and a clips folder that are not there yet; `changes` replace."""
    parts = WebParts(
        daemon=DaemonLink([f"unix://{folder}/no-daemon.sock"]),
        doorkeeper=make_doorkeeper(folder),
        history=(folder / "history.db",),
        clips=folder / "clips",
        version="1.2.3",
    )
    return replace(parts, **changes)


def make_doorkeeper(
    folder: Path, *, password: str = "", clock: Callable[[], float] = time.monotonic, **rules: Any
) -> Doorkeeper:
    """Who gets in: with `password` only who knows it; `rules` are those of AccessPolicy."""
    file = PasswordFile(folder / "web-password")
    if password:  # hashed at next to no cost
        folder.mkdir(exist_ok=True)
        file.path.write_text(f"{PasswordHash.of(password, cost=2).text}\n")
        file.path.chmod(0o600)
    return Doorkeeper(AccessPolicy(**rules), file, clock=clock)


@contextmanager
def open_page(
    parts: WebParts, *, client: tuple[str, int] = ("127.0.0.1", 5000), base_url: str = BASE
) -> Iterator[TestClient]:
    """A client of the page that these parts make; `client` is the address that it connects from."""
    with TestClient(make_app(parts), base_url=base_url, client=client) as page:
        yield page


def log_in(client: TestClient, password: str) -> Any:
    """The answer to a log-in; the client keeps its cookie."""
    return client.post("/api/v1/session", json={"password": password}, headers={"Origin": BASE})


def changing(client: TestClient) -> Mapping[str, str]:
    """The headers with which this client may change something."""
    return {"X-CSRF-Token": client.get("/api/v1/me").json()["csrf"], "Origin": BASE}
