"""The feed in a real browser: what was heard, what is heard now, filters, hostile names."""

from __future__ import annotations

import pytest

from tests.support.invented_sounds import HOSTILE, LONG, SOURCES

CARD = "article.event"


def labels(page):
    return page.locator(".event-label").all_inner_texts()


def test_events_are_shown_page_by_page_the_newest_first(show):
    page = show("#/feed")
    page.wait_for_selector(CARD)
    assert page.locator(CARD).count() == 30
    page.get_by_role("button", name="Show older sounds").click()
    page.wait_for_function("document.querySelectorAll('article.event').length === 60")
    times = page.eval_on_selector_all(f"{CARD} time", "all => all.map((one) => one.dateTime)")
    assert times == sorted(times, reverse=True)
    assert page.locator(".day-name").first.inner_text() in ("Today", "Yesterday")


def test_a_sound_appears_as_it_is_heard_is_said_once_and_corrected_in_place(show, place):
    page = show("#/feed")
    page.wait_for_selector(CARD)
    place.say("Violin", id="live-1")
    card = page.locator('[data-id="live-1"]')
    card.wait_for()
    assert "now" in card.inner_text()
    assert page.locator(".feed [aria-live=polite]").inner_text().startswith("Violin heard at")
    place.say("Cello", id="live-1", kind="end")
    page.get_by_role("heading", name="Cello").wait_for()
    assert page.locator('[data-id="live-1"]').count() == 1
    assert "now" not in card.inner_text()
    assert page.locator(".feed [aria-live=polite]").inner_text().startswith("Violin")


def test_new_sounds_wait_while_somebody_reads_further_down(show, place):
    page = show("#/feed")
    page.wait_for_selector(CARD)
    page.mouse.wheel(0, 2000)
    page.wait_for_function("scrollY > 1000")
    place.say("Trumpet", id="live-2")
    page.get_by_role("button", name="One new sound").click()
    page.wait_for_function("scrollY === 0")
    assert labels(page)[0] == "Trumpet"


def test_filters_are_kept_in_the_address(show, place):
    page = show("#/feed")
    page.get_by_label("Source").select_option(SOURCES[1])
    page.wait_for_function("location.hash.includes('source=')")
    page.get_by_label("Label", exact=True).fill("Bird")
    page.get_by_label("Label", exact=True).press("Enter")
    page.wait_for_function("location.hash.includes('label=Bird')")
    page.wait_for_function(
        "[...document.querySelectorAll('.event-label')].every((one) => one.textContent === 'Bird')"
    )
    again = show(page.url.split("/", 3)[3])
    again.wait_for_selector(CARD)
    assert set(labels(again)) == {"Bird"}
    assert set(again.locator(".event-source").all_inner_texts()) == {SOURCES[1]}
    place.say("Bird", id="live-3", source=SOURCES[0])
    place.say("Bird", id="live-4", source=SOURCES[1])
    again.locator('[data-id="live-4"]').wait_for()
    assert again.locator('[data-id="live-3"]').count() == 0
    again.get_by_role("button", name="Clear filters").click()
    again.locator('[data-id="live-3"]').wait_for()
    assert again.evaluate("location.hash") == "#/feed"


def test_what_no_event_fits_is_said(show):
    page = show("#/feed?label=No+such+label")
    page.get_by_role("heading", name="No such sound").wait_for()


@pytest.mark.parametrize(("name", "label"), [("markup", HOSTILE), ("long", LONG)])
@pytest.mark.parametrize("width", [390, 1440])
def test_a_hostile_label_is_text_and_breaks_nothing(show, place, name, label, width):
    page = show("#/feed", width=width)
    page.wait_for_selector(CARD)
    id = f"hostile-{name}-{width}"
    place.say(label, id=id, source=f"<b>{name}</b>")
    card = page.locator(f'[data-id="{id}"]')
    card.wait_for()
    assert card.locator("script, b, img, i").count() == 0
    shown = card.locator(".event-label").text_content()
    assert shown == label.replace("\x1b", "\ufffd").replace("\u202e", "\ufffd")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert card.bounding_box()["height"] < 400
    if label == LONG:
        card.get_by_role("button", name="Show the whole label").click()
        assert card.locator(".event-label.whole").is_visible()


def test_the_feed_is_worked_by_keyboard_alone(show):
    page = show("#/feed")
    page.wait_for_selector(CARD)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Go to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id"))
    assert {"filter-label", "filter-score", "Right", "Wrong", "It was …"} <= reached
