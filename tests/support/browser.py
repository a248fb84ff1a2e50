"""A real browser for the tests of pages: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def missing() -> str | None:
    """What must be installed before there can be a browser; None where all is there."""
    if find_spec("playwright") is None or not any(map(shutil.which, CHROMIUM)):
        return "needs the package playwright and the program chromium"
    return None


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start it for a test, which is skipped where Playwright or Chromium is missing."""
    if reason := missing():
        pytest.skip(reason)
    with open_chromium() as browser:
        yield browser


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Start it; sound plays without anybody pressing anything."""
    program = next(filter(None, map(shutil.which, CHROMIUM)))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def watched_faults(page: Page) -> list[str]:
    """What goes wrong in the page from now on: errors of its scripts, and dialogs that it opened."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    def close(dialog: Dialog) -> None:
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", close)
    return faults
