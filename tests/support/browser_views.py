"""The page in a browser: its own server in a thread, answers in the server's place, axe-core."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.support.fakes import LONG, wait_until

AXE = Path(__file__).resolve().parents[1] / "web" / "browser" / "axe" / "axe.min.js"
WIDTHS = (390, 768, 1440)
HIDE = """(hidden) => {
  Object.defineProperty(document, 'hidden', {get: () => hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""
"""Makes the page believe that its tab is hidden, or seen again."""

Answer = Any | Callable[[Any], Any]
"""What a request is answered with: JSON, or what makes it of the request; (status, JSON) where it fails."""


@contextmanager
def served(app: Any) -> Iterator[str]:
    """An application on a free port of this machine, served by a thread; its address."""
    import uvicorn

    from detector.web.page_server import open_socket

    with open_socket("127.0.0.1", 0) as listening:
        config = uvicorn.Config(
            app,
            http="h11",
            ws="websockets-sansio",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            wait_until(lambda: server.started)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(LONG)


def answer_with(page: Any, answers: Mapping[str, Answer]) -> list[tuple[str, str, Any]]:
    """Answer the page's requests of the API in the server's place: `GET overview` -> JSON.

    Others go to the server. Returns the list of what was asked so far: method, path and JSON body.
    """
    asked: list[tuple[str, str, Any]] = []

    def handle(route: Any) -> None:
        request = route.request
        path = unquote(urlsplit(request.url).path).split("/api/v1/", 1)[1]
        answer = answers.get(f"{request.method} {path}")
        if answer is None:
            route.continue_()
            return
        asked.append((request.method, path, request.post_data_json if request.post_data else None))
        body = answer(request) if callable(answer) else answer
        status, body = body if isinstance(body, tuple) else (200, body)
        route.fulfill(status=status, content_type="application/json", body=json.dumps(body))

    page.route("**/api/v1/**", handle)
    return asked


def wait_for(page: Any, script: str, arg: Any = None) -> None:
    """Wait until this JavaScript is true in the page, or true of `arg`, if it is a function.

    The page's rules forbid Playwright's `wait_for_function`.
    """
    end = time.monotonic() + LONG
    while not page.evaluate(script, arg):
        assert time.monotonic() < end, f"never true: {script}"
        page.wait_for_timeout(20)


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong with the page as it is, one line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document)")["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


def faults_at_each_width(page: Any) -> list[str]:
    """What axe-core finds, narrow and wide, light and dark, and what reaches over the edge; one line each."""
    faults = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                faults.append(f"wider than a screen of {width}")
            if width != WIDTHS[1]:
                faults += [f"{scheme}, {width}: {fault}" for fault in violations(page)]
    return faults
