"""The feed in a real browser: what was heard, what is heard now, filters, hostile names."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.support.browser_views import wait_for
from tests.support.invented_sounds import HOSTILE, LONG, SOURCES

CARD = "article.event"


def labels(page):
    return page.locator(".event-label").all_inner_texts()


def test_events_are_shown_page_by_page_the_newest_first(show):
    page = show("#/feed")
    page.wait_for_selector(CARD)
    assert page.locator(CARD).count() == 30
    page.get_by_role("button", name="Show older sounds").click()
    wait_for(page, "document.querySelectorAll('article.event').length === 60")
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


def test_an_old_sound_that_lasts_still_does_not_jump_over_pages_that_are_not_loaded(show, place):
    page = show("#/feed")
    page.wait_for_selector(CARD)
    place.say("Foghorn", id="live-30", kind="update", start_time="2020-01-01T00:00:00.000Z")
    place.say("Bagpipes", id="live-31")
    page.locator('[data-id="live-31"]').wait_for()
    assert page.locator('[data-id="live-30"]').count() == 0


def test_new_sounds_wait_while_somebody_reads_further_down(show, place):
    page = show("#/feed")
    page.wait_for_selector(CARD)
    page.mouse.wheel(0, 2000)
    wait_for(page, "scrollY > 1000")
    place.say("Trumpet", id="live-2")
    page.get_by_role("button", name="One new sound").click()
    wait_for(page, "scrollY === 0")
    assert labels(page)[0] == "Trumpet"


def test_filters_are_kept_in_the_address(show, place):
    page = show("#/feed")
    page.get_by_label("Source").select_option(SOURCES[1])
    wait_for(page, "location.hash.includes('source=')")
    page.get_by_label("Label", exact=True).fill("Bird")
    page.get_by_label("Label", exact=True).press("Enter")
    wait_for(page, "location.hash.includes('label=Bird')")
    wait_for(
        page, "[...document.querySelectorAll('.event-label')].every((one) => one.textContent === 'Bird')"
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


def test_a_link_may_name_a_span_and_an_hour_of_the_day(show):
    everything = show("#/feed")
    everything.wait_for_selector(CARD)
    hours = "all => all.map((one) => new Date(one.dateTime).getHours())"
    hour = everything.eval_on_selector_all(f"{CARD} time", hours)[0]
    page = show(f"#/feed?hour={hour}&from=2026-01-01T00:00:00Z")
    page.wait_for_selector(CARD)
    assert set(page.eval_on_selector_all(f"{CARD} time", hours)) == {hour}
    assert page.get_by_label("From", exact=True).input_value().startswith("202")
    page.get_by_role("button", name="each day").click()
    wait_for(page, "!location.hash.includes('hour=')")


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


def test_a_verdict_is_given_taken_back_and_given_as_a_label(show, place):
    page = show("#/feed?label=Bird")
    card = page.locator(f'{CARD}[data-id^="2026"]').first
    id = card.get_attribute("data-id")
    card = page.locator(f'[data-id="{id}"]')
    card.get_by_role("button", name="Right").click()
    card.get_by_text("You said: right").wait_for()
    assert {"verdict": {"id": id, "said": "right"}} in place.daemon.requests
    card.get_by_role("button", name="Undo").click()
    card.get_by_role("button", name="Wrong").wait_for()
    assert {"verdict": {"forget": id}} in place.daemon.requests
    card.get_by_role("button", name="It was").click()
    page.get_by_label("The detector heard: Bird").press_sequentially("door")
    page.get_by_role("dialog").get_by_text("One label").wait_for()
    page.keyboard.press("Enter")
    card.get_by_text("You said: Doorbell").wait_for()
    assert {"verdict": {"id": id, "said": "Doorbell"}} in place.daemon.requests


def test_a_verdict_that_the_daemon_refuses_is_said_and_can_be_given_again(show, place):
    page = show("#/feed")
    place.say("Oboe", id="20260801T140000Z-fa4e-900001")
    card = page.locator('[data-id="20260801T140000Z-fa4e-900001"]')
    told, place.daemon.told = place.daemon.told, []
    try:
        card.get_by_role("button", name="Right").click()
        page.locator(".toast").wait_for()
    finally:
        place.daemon.told = told
    card.get_by_role("button", name="Right").click()
    card.get_by_text("You said: right").wait_for()


def test_a_clip_is_played_sought_and_downloaded(show):
    page = show("#/feed")
    refused = []
    page.on("console", lambda said: refused.append(said.text) if "Security Policy" in said.text else None)
    while not page.locator(".event-play").count():
        page.get_by_role("button", name="Show older sounds").click()
        page.wait_for_load_state("networkidle")
    page.locator(".event-play").first.click()
    place = page.get_by_role("slider", name="Place in the clip")
    place.wait_for()
    wait_for(page, "Number(document.querySelector('.player-seek').getAttribute('aria-valuenow')) > 0.2")
    wait_for(page, "document.querySelector('.player-picture').width === 480")
    wave = "document.querySelector('.player-wave > div > div').shadowRoot"
    wait_for(page, f"{wave}.querySelector('canvas').width > 100")
    assert page.evaluate(f"{wave}.adoptedStyleSheets.length") == 1
    page.get_by_role("button", name="Pause").click()
    place.press("End")
    assert place.get_attribute("aria-valuenow") == place.get_attribute("aria-valuemax")
    place.press("Home")
    wait_for(page, "document.querySelector('.player-seek').getAttribute('aria-valuenow') === '0.0'")
    place.press("ArrowRight")
    wait_for(page, "document.querySelector('.player-seek').getAttribute('aria-valuenow') === '1.0'")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the clip").click()
    assert download.value.suggested_filename.endswith(".wav")
    assert refused == []


def test_a_clip_is_locked_stays_so_and_is_not_deleted_until_it_is_unlocked(show, place):
    page = show("#/feed")
    while not page.locator(".event-play").count():
        page.get_by_role("button", name="Show older sounds").click()
        page.wait_for_load_state("networkidle")
    card = page.locator(CARD).filter(has=page.locator(".event-play")).first
    card.locator(".event-play").click()
    lock = card.get_by_role("button", name="Lock the clip", pressed=False)
    lock.click()
    card.get_by_role("button", name="Lock the clip", pressed=True).wait_for()
    assert len([*place.scene.clips.rglob("*.locked")]) == 1
    card.get_by_role("button", name="Delete the clip").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the clip").click()
    page.get_by_text("the clip is locked: unlock it first").wait_for()
    page.reload()
    while not page.locator(".event-play").count():
        page.get_by_role("button", name="Show older sounds").click()
        page.wait_for_load_state("networkidle")
    page.locator(".event-play").first.click()
    page.get_by_role("button", name="Lock the clip", pressed=True).click()
    page.get_by_role("button", name="Lock the clip", pressed=False).wait_for()
    assert [*place.scene.clips.rglob("*.locked")] == []


def test_sounds_that_cannot_be_read_are_left_out_and_said(show, place):
    with closing(sqlite3.connect(place.scene.history)) as file, file:
        file.execute("UPDATE messages SET line = 'damaged' WHERE seq = (SELECT max(seq) FROM messages)")
    page = show("#/feed")
    page.wait_for_selector(CARD)
    assert page.locator(CARD).count() == 30
    page.get_by_text("cannot be read, because the history's file is damaged there: 1.").wait_for()


def test_a_clip_is_deleted_after_a_question(show, place):
    page = show("#/feed")
    while not page.locator(".event-play").count():
        page.get_by_role("button", name="Show older sounds").click()
        page.wait_for_load_state("networkidle")
    card = page.locator(CARD).filter(has=page.locator(".event-play")).last
    card = page.locator(f'[data-id="{card.get_attribute("data-id")}"]')
    files = len([*place.scene.clips.rglob("*.wav")])
    card.locator(".event-play").click()
    card.get_by_role("button", name="Delete the clip").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert card.locator(".event-play").count() == 1
    card.get_by_role("button", name="Delete the clip").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the clip").click()
    card.locator(".event-play").wait_for(state="detached")
    assert len([*place.scene.clips.rglob("*.wav")]) == files - 1
