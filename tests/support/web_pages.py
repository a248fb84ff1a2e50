"""The page in this process, as a client sees it: for tests of its routes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have httpx's successor
    from starlette.testclient import TestClient

from detector.web.app import make_app
from detector.web.daemon_link import DaemonLink
from detector.web.parts import WebParts

__all__ = ["BASE", "TestClient", "changing", "make_parts", "open_page"]

BASE = "http://127.0.0.1:8790"


def make_parts(folder: Path, **changes: Any) -> WebParts:
    """What routes need: no daemon, a history and a clips folder that are not there yet; `changes` replace."""
    parts = WebParts(
        daemon=DaemonLink([f"unix://{folder}/no-daemon.sock"]),
        history=(folder / "history.db",),
        clips=folder / "clips",
        version="1.2.3",
    )
    return replace(parts, **changes)


@contextmanager
def open_page(parts: WebParts) -> Iterator[TestClient]:
    """A client of the page that these parts make."""
    with TestClient(make_app(parts), base_url=BASE) as client:
        yield client


def changing(client: TestClient) -> Mapping[str, str]:
    """The headers with which this client may change something."""
    return {"X-CSRF-Token": client.get("/api/v1/me").json()["csrf"], "Origin": BASE}
