"""What the tests in a browser share; without Playwright or Chromium they are all skipped."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.support.browser import open_browser, watched_faults
from tests.support.browser_views import answer_with, served
from tests.support.fakes import LONG


def pytest_collection_modifyitems(items):
    """They start a browser: none of them is quick."""
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def chromium():
    """One browser for all tests of a file: while Playwright runs, nothing else can run an event loop here."""
    with open_browser() as browser:
        yield browser


@pytest.fixture
def serve():
    """`serve(parts)` -> the address of a page made of these parts."""
    from detector.web.app import make_app

    with ExitStack() as stack:
        yield lambda parts: stack.enter_context(served(make_app(parts)))


@pytest.fixture
def visit(chromium):
    """`visit(address, width=..., dark=..., answers=...)` -> a tab that has this page open.

    A fault of the page's scripts fails the test at its end. `answers` as in `answer_with`. With
    `clock`, `tab.clock` can set the time forward.
    """
    from playwright.sync_api import expect

    expect.set_options(timeout=LONG * 1000)
    faults: list[list[str]] = []
    with ExitStack() as stack:

        def open_page(address, *, width=1440, dark=False, answers=None, clock=False, **options):
            scheme = "dark" if dark else "light"
            viewport = {"width": width, "height": 900}
            context = chromium.new_context(
                viewport=viewport, color_scheme=scheme, **({"reduced_motion": "reduce"} | options)
            )
            stack.callback(context.close)
            context.set_default_timeout(LONG * 1000)
            tab = context.new_page()
            faults.append(watched_faults(tab))
            tab.asked = answer_with(tab, answers or {})
            if clock:
                tab.clock.install()
            tab.goto(address)
            return tab

        yield open_page
    assert [fault for found in faults for fault in found] == []


@pytest.fixture(scope="module")
def place(tmp_path_factory, chromium):
    """A daemon with a past and the page before it, for all tests of a file."""
    from tests.support.browser_place import Place

    with Place(tmp_path_factory.mktemp("place")).open() as opened:
        yield opened


@pytest.fixture
def show(place, visit):
    """`show("#/feed", width=390, dark=True)` -> a tab with this view of the page before `place`."""

    def show(view="", **options):
        tab = visit(f"{place.url}/{view}", locale="en-GB", **options)
        tab.wait_for_selector("h1")
        return tab

    return show
