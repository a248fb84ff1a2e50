"""Reports in a real browser, opened from disk: drawn, zoomed, filtered, sorted and played."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from detector.analysis.index import index_html
from detector.analysis.overview import Overview
from detector.analysis.page import Page, address_from, page_html
from detector.analysis.summary import Tallying, merged
from tests.support.analysis_events import make_sound
from tests.support.browser import open_browser, watched_faults
from tests.support.fakes import LONG, cut

pytestmark = pytest.mark.slow

RATE = 16000
SECONDS = 120.0
HOSTILE = ("<script>alert(1)</script>", "\x1b[31mred", "L" * 10_000, "\"'\n")
SOUNDS = (
    make_sound(2, 3, "Dog"),
    make_sound(10, 40, "Rain"),
    make_sound(50, 51, "Siren"),
    make_sound(60, 62, "Dog"),
    *(make_sound(70 + n, 71 + n, label) for n, label in enumerate(HOSTILE)),
)


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


def heard():
    tallying = Tallying(start=None)
    for sound in SOUNDS:
        tallying.add(sound.label, sound.onset, sound.offset)
    return tallying.end(SECONDS)


@pytest.fixture
def report(tmp_path):
    """The page of a recording that lies beside it."""
    samples = np.random.default_rng(1).integers(-3000, 3000, round(SECONDS * RATE)).astype(np.int16)
    soundfile.write(tmp_path / "a b.wav", samples, RATE)
    gathered = Overview(sample_rate=RATE)
    for block in cut(samples, RATE):
        gathered.push(block)
    path = tmp_path / "a b.report.html"
    page = Page(
        *("a b", "a b.wav", "fake", heard(), SOUNDS, len(SOUNDS), gathered.finish()),
        recording=address_from(path, tmp_path / "a b.wav"),
        alarms={"Siren"},
    )
    path.write_text(page_html(page), encoding="utf-8")
    return path


def opened(browser, path, width=1280, scheme="light"):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.set_default_timeout(1000 * LONG)
    faults = watched_faults(page)
    page.goto(path.as_uri())
    page.wait_for_selector(".stage canvas")
    return page, faults


def pixel(page):
    """The colour of the spectrogram's middle."""
    return page.evaluate(
        """() => { const canvas = document.querySelector(".stage canvas");
        const ratio = window.devicePixelRatio;
        return [...canvas.getContext("2d").getImageData(canvas.width / 2, 100 * ratio, 1, 1).data]; }"""
    )


class TestInABrowser:
    @pytest.mark.parametrize("width", [390, 1440])
    def test_it_fits_and_is_as_light_or_dark_as_the_system(self, browser, report, width):
        colours = []
        for scheme in ("light", "dark"):
            page, faults = opened(browser, report, width, scheme)
            page.wait_for_function("document.querySelector('.stage canvas').width > 300")
            page.wait_for_timeout(50)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            colours.append((page.evaluate("getComputedStyle(document.body).backgroundColor"), pixel(page)))
            assert faults == []
            page.close()
        assert colours[0][0] != colours[1][0]
        assert colours[0][1] != colours[1][1]

    def test_what_others_wrote_is_text(self, browser, report):
        page, faults = opened(browser, report)
        labels = page.locator("tbody.events td.label").all_text_contents()
        assert labels == [
            *("Dog", "Rain", "Siren", "Dog", "<script>alert(1)</script>", "\\x1b[31mred"),
            *("L" * 10_000, "\"'\\n"),
        ]
        assert page.locator("script").count() == 1
        assert page.locator("tbody tr").nth(6).bounding_box()["height"] < 120
        assert faults == []

    def test_an_event_is_played_from_the_recording(self, browser, report):
        page, faults = opened(browser, report)
        row = page.locator("tbody.events tr").nth(3)
        row.locator(".play").click()
        page.wait_for_function("document.getElementById('sound').currentTime > 59.6")
        assert page.locator(".player b").inner_text() == "Dog"
        assert page.evaluate("document.getElementById('sound').currentTime") < 63
        page.locator(".player .play").click()
        page.wait_for_function("document.getElementById('sound').paused")
        assert faults == []

    def test_without_the_recording_it_says_so(self, browser, report):
        (report.parent / "a b.wav").unlink()
        page, faults = opened(browser, report)
        page.wait_for_selector("text=There is no sound here: this browser cannot play a b.wav.")
        assert page.locator(".play").count() == 0
        assert faults == []

    def test_keys_zoom_and_move(self, browser, report):
        page, faults = opened(browser, report)
        stage = page.locator(".stage")
        stage.focus()
        before = pixel(page)
        for key in ("+", "+", "+", "End"):
            stage.press(key)
        page.wait_for_selector(".strip:not([hidden])")
        assert page.locator(".strip").is_visible()
        stage.press("0")
        page.wait_for_selector(".strip", state="hidden")
        page.wait_for_timeout(50)
        assert pixel(page) == before
        assert faults == []

    def test_the_picture_plays_what_is_pressed_and_moves_with_the_pointer(self, browser, report):
        page, faults = opened(browser, report)
        box = page.locator(".stage canvas").bounding_box()
        middle = box["x"] + 168 + (box["width"] - 168) / 2  # beside the names, at the sixtieth second
        page.mouse.click(middle, box["y"] + 100)
        page.wait_for_function("document.getElementById('sound').currentTime > 59")
        assert page.locator(".player b").inner_text() == "Recording"
        page.locator(".player .close").click()
        assert page.locator(".player").is_hidden()
        page.mouse.click(middle + 4, box["y"] + 220 + 24 + 2 * 26 + 13)  # the third row: alarms, rain, dogs
        page.wait_for_selector("tr.chosen")
        assert page.locator("tr.chosen td.label").inner_text() == "Dog"
        page.locator(".tool", has_text="+").click()
        page.wait_for_selector(".strip:not([hidden])")
        before = pixel(page)
        page.mouse.move(middle, box["y"] + 150)
        page.mouse.down()
        page.mouse.move(middle + 200, box["y"] + 150, steps=4)
        page.mouse.up()
        page.wait_for_timeout(100)
        assert pixel(page) != before
        assert faults == []

    def test_filters_and_sorts(self, browser, report):
        page, faults = opened(browser, report)
        page.fill("#filter", "dog")
        assert page.locator("tbody.events tr:visible").count() == 2
        assert page.locator("#shown").inner_text() == "2"
        page.fill("#filter", "")
        heading = page.locator("table.events th", has_text="seconds")
        heading.locator("button").focus()
        heading.locator("button").press("Enter")
        assert heading.get_attribute("aria-sort") == "descending"
        assert page.locator("tbody.events td.label").first.inner_text() == "Rain"
        assert page.locator("table.events th[aria-sort]").count() == 1
        heading.locator("button").press("Enter")
        assert heading.get_attribute("aria-sort") == "ascending"
        assert page.locator("tbody.events td.label").last.inner_text() == "Rain"
        assert faults == []

    def test_the_index_is_sorted_too(self, browser, tmp_path):
        summaries = {name: heard() for name in ("b", "a", "<b>c")}
        path = tmp_path / "index.html"
        path.write_text(index_html(summaries, merged(summaries.values()), faults={"bad.wav": "why"}))
        page = browser.new_page()
        faults = watched_faults(page)
        page.goto(path.as_uri())
        page.locator("table.recordings th button").first.click()
        assert page.locator("tbody.files td.label").all_text_contents() == ["<b>c", "a", "b"]
        assert page.locator(".faults td").all_text_contents() == ["bad.wav", "why"]
        assert faults == []
