"""The log-in in a real browser: who knows the password, who does not, who tries too often, and guests."""

from __future__ import annotations

import pytest

from tests.support.browser_views import violations

PASSWORD = "open sesame 4711"  # noqa: S105


def open_place(folder, **rules):
    from tests.support.browser_place import Place
    from tests.support.web_pages import make_doorkeeper

    return Place(folder, doorkeeper=make_doorkeeper(folder, password=PASSWORD, **rules)).open()


@pytest.fixture(scope="module")
def place(tmp_path_factory, chromium):
    """A page with a password, and nobody let in without it."""
    with open_place(tmp_path_factory.mktemp("closed")) as opened:
        yield opened


@pytest.fixture(scope="module")
def open_to_guests(tmp_path_factory, chromium):
    with open_place(tmp_path_factory.mktemp("guests"), guests=True) as opened:
        yield opened


def log_in(page, password):
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_who_knows_the_password_gets_in_and_out_again(show):
    page = show("#/feed")
    assert page.evaluate("document.activeElement.id") == "password"
    log_in(page, "guessed")
    page.get_by_role("alert").get_by_text("This password is wrong.").wait_for()
    log_in(page, PASSWORD)
    page.get_by_role("heading", level=1, name="Feed").wait_for()
    page.wait_for_selector("article.event")
    page.reload()
    page.wait_for_selector("article.event")
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Password").wait_for()
    assert page.locator("article.event").count() == 0


def test_a_session_that_ended_elsewhere_asks_for_the_password(show):
    page = show("#/feed")
    log_in(page, PASSWORD)
    page.wait_for_selector("article.event")
    page.context.clear_cookies()
    page.get_by_role("button", name="Show older sounds").click()
    page.get_by_label("Password").wait_for()


def test_a_page_that_only_waits_notices_that_its_session_ended(show):
    page = show("#/feed")
    log_in(page, PASSWORD)
    page.wait_for_selector("article.event")
    page.context.set_offline(True)
    page.get_by_text("The page lost its server").wait_for()
    page.context.clear_cookies()
    page.context.set_offline(False)
    page.get_by_label("Password").wait_for()


def test_a_log_out_in_one_tab_is_one_in_all(show, place):
    page = show("#/live")
    log_in(page, PASSWORD)
    page.locator(".waterfall-words").wait_for(state="hidden")
    other = page.context.new_page()
    other.goto(f"{place.url}/#/feed")
    other.get_by_role("button", name="Log out").click()
    page.get_by_label("Password").wait_for()


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_wrong_with_the_log_in(show, dark):
    page = show(width=390, dark=dark)
    assert violations(page) == []


def test_guests_see_what_was_heard_and_hear_nothing(visit, open_to_guests):
    page = visit(f"{open_to_guests.url}/#/feed")
    page.wait_for_selector("article.event")
    places = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    assert places == ["Live", "Feed", "Overview"]
    assert page.locator(".event-play").count() == 0
    assert page.get_by_role("button", name="Right").count() == 0
    page.get_by_role("link", name="Live").click()
    page.wait_for_selector(".recent-sound")
    assert page.get_by_role("button", name="Listen").count() == 0
    page.get_by_role("button", name="Log in").click()
    log_in(page, PASSWORD)
    page.get_by_role("button", name="Listen").wait_for()
    page.get_by_role("link", name="Settings").wait_for()


def test_who_tries_too_often_is_told_to_wait(show):
    page = show()
    for _ in range(8):
        log_in(page, "guessed")
        said = page.get_by_role("alert")
        said.filter(has_text=".").wait_for()
        if "Too many attempts" in said.inner_text():
            return
    pytest.fail("nobody said that these were too many attempts")
