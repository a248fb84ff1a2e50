"""Live in a real browser: the picture flows, events are in it, and it rests while nobody looks."""

from __future__ import annotations

import pytest

from tests.support.browser_views import HIDE, wait_for
from tests.support.fakes import wait_until
from tests.support.invented_sounds import HOSTILE, SOURCES

COLOURS = """() => {
  const canvas = document.querySelector('.waterfall-canvas');
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


@pytest.fixture
def live(show):
    """Opens Live, and waits for its picture."""

    def live(**options):
        page = show("#/live", **options)
        wait_for(page, f"({COLOURS})() > 20")
        return page

    return live


@pytest.mark.parametrize("dark", [False, True])
def test_the_sound_is_seen_with_its_frequencies_and_its_level(live, dark):
    page = live(dark=dark)
    assert "1 kHz" in page.locator(".frequencies").inner_text()
    assert "now" in page.locator(".seconds").inner_text()
    assert page.get_by_role("img", name=f"Spectrogram of the last seconds of {SOURCES[0]}").is_visible()
    wait_for(page, "document.querySelector('[role=meter]').getAttribute('aria-valuetext').endsWith('dBFS')")


def test_an_event_lies_over_the_picture_and_opens_its_card(live, place):
    page = live()
    place.say("Banjo", id="live-9")
    page.locator(".mark-label", has_text="Banjo").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("heading", name="Banjo").wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert page.locator(".recent-sound").first.inner_text().count("Banjo") == 1


def test_the_focus_returns_to_a_sound_of_the_list_although_others_came(live, place):
    page = live()
    place.say("Zither", id="live-20")
    page.locator(".recent-sound", has_text="Zither").click()
    page.get_by_role("dialog").wait_for()
    place.say("Gong", id="live-21")
    page.locator(".recent-sound", has_text="Gong").wait_for()
    page.keyboard.press("Escape")
    wait_for(page, "document.activeElement.textContent.includes('Zither')")


def test_a_hostile_label_is_text_over_the_picture_too(live, place):
    page = live(width=390)
    place.say(HOSTILE, id="live-10")
    mark = page.locator(".mark-label", has_text="<script>")
    mark.wait_for()
    assert mark.locator("script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_each_source_has_a_tab_and_the_address_keeps_it(live, show, place):
    page = live()
    page.get_by_role("button", name=SOURCES[1], exact=True).click()
    wait_for(page, "location.hash.includes('source=')")
    page.get_by_role("img", name=f"Spectrogram of the last seconds of {SOURCES[1]}").wait_for()
    again = show(page.url.split("/", 3)[3])
    assert again.locator(".tabs [aria-pressed=true]").inner_text() == SOURCES[1]
    place.say("Organ", id="live-11", source=SOURCES[0])
    place.say("Piano", id="live-12", source=SOURCES[1])
    again.locator(".mark-label", has_text="Piano").wait_for()
    assert again.locator(".mark-label", has_text="Organ").count() == 0


def test_nothing_is_sent_while_the_page_is_hidden(live, place):
    page = live()
    wait_until(lambda: place.daemon.watching["spectrogram"] == 1)
    page.evaluate(HIDE, True)
    wait_until(lambda: place.daemon.watching["spectrogram"] == 0)
    page.evaluate(HIDE, False)
    wait_until(lambda: place.daemon.watching["spectrogram"] == 1)
    wait_for(page, "document.querySelector('.waterfall-words').hidden")


def test_the_picture_comes_back_with_the_daemon(live, place):
    page = live()
    place.daemon.stop()
    page.get_by_text("No live picture at the moment").wait_for()
    place.daemon.start()
    wait_for(page, "document.querySelector('.waterfall-words').hidden")


def test_the_picture_flows_unless_motion_is_unwanted(live, place):
    page = live(reduced_motion="no-preference")
    frame = "document.querySelector('.waterfall-canvas').toDataURL()"
    first = page.evaluate(frame)
    wait_for(page, f"(first) => {frame} !== first", arg=first)


def test_the_sound_can_be_listened_to(live, place):
    page = live()
    page.get_by_role("button", name="Listen").click()
    wait_until(lambda: place.daemon.watching["sound"] == 1)
    page.get_by_role("button", name="Listen", pressed=True).click()
    wait_until(lambda: place.daemon.watching["sound"] == 0)
    place.daemon.sound = False
    try:
        page.get_by_role("button", name="Listen").click()
        page.get_by_text("The daemon gives no live sound").wait_for()
        page.get_by_role("button", name="Listen", pressed=False).wait_for()
    finally:
        place.daemon.sound = True


def test_sources_that_come_with_the_daemon_get_their_tabs(show, place):
    place.daemon.stop()
    page = show("#/live")
    page.get_by_text("No live picture at the moment").wait_for()
    place.daemon.start()
    page.get_by_role("button", name=SOURCES[1], exact=True).wait_for()
    page.locator(".waterfall-words").wait_for(state="hidden")
