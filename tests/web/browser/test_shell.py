"""The frame of the page in a real browser: places, colours, and what it says when something is gone."""

from __future__ import annotations

import pytest

from detector.wire.encoding import encode
from detector.wire.message import StatusBody
from tests.support.browser_views import HIDE, violations, wait_for

VIEWS = (("live", ".recent-sound"), ("feed", "article"))
"""Each view, and what it has once it is complete; other views have tests of their own."""


@pytest.mark.parametrize(("dark", "width"), [(False, 1440), (True, 390)])
@pytest.mark.parametrize(("view", "content"), VIEWS)
def test_axe_finds_nothing_wrong_and_nothing_is_wider_than_the_screen(show, view, content, dark, width):
    page = show(f"#/{view}", width=width, dark=dark)
    page.wait_for_selector(content)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_places_are_gone_to_and_the_address_says_where_one_is(show):
    page = show()
    assert page.get_by_role("heading", level=1).inner_text() == "Live"
    for name in ("Feed", "Overview", "Settings", "Live"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        page.get_by_role("heading", level=1, name=name).wait_for()
        wait_for(page, "name => document.title.startsWith(name)", arg=name)
        assert page.locator("[aria-current=page]").inner_text() == name
        assert page.evaluate("document.activeElement.id") == "main"
    page.go_back()
    page.get_by_role("heading", level=1, name="Settings").wait_for()


def test_the_switch_of_colours_is_kept(show):
    page = show("#/feed")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Colours: as the system has them").click()
    assert page.evaluate(paper) == light
    page.get_by_role("button", name="Colours: light").click()
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    page.get_by_role("button", name="Colours: dark").wait_for()
    assert page.evaluate(paper) == dark


def test_the_page_says_that_the_daemon_is_gone_and_that_it_is_back(show, place):
    page = show("#/feed")
    page.get_by_text("Listening").wait_for()
    place.daemon.stop()
    page.get_by_text("The daemon has not answered since").wait_for()
    page.get_by_text("Not running").wait_for()
    place.daemon.start()
    page.get_by_text("Back again").wait_for()
    page.get_by_text("Listening").wait_for()
    place.say("Harp", id="after")
    page.get_by_role("heading", name="Harp").wait_for()


def test_the_page_says_that_the_machine_is_too_slow(show, place):
    place.daemon.overloaded = True
    page = show("#/feed")
    page.get_by_text("Listening, machine too slow").wait_for()
    assert page.locator(".state").get_attribute("title") == "fewer sources would help"
    place.daemon.paused = True
    place.daemon.tell(encode(StatusBody(state="paused", source="porch", time=None)))
    page.get_by_text("Paused, machine too slow").wait_for()
    place.daemon.paused = place.daemon.overloaded = False
    place.daemon.tell(encode(StatusBody(state="listening", source="porch", time=None)))
    page.get_by_text("Listening", exact=True).wait_for()


def test_the_page_says_that_its_server_is_gone_and_misses_nothing(show, place):
    page = show("#/feed")
    page.wait_for_selector("article.event")
    page.get_by_text("Listening").wait_for()
    page.context.set_offline(True)
    page.get_by_text("The page lost its server").wait_for()
    place.say("Lute", id="meanwhile")
    page.context.set_offline(False)
    page.get_by_text("Back again").wait_for()
    page.get_by_role("heading", name="Lute").wait_for()


def test_a_tab_that_nobody_sees_holds_no_connection_and_misses_nothing(show, place):
    page = show("#/feed")
    page.wait_for_selector("article.event")
    page.evaluate("""() => {
      window.streamsClosed = 0;
      const close = EventSource.prototype.close;
      EventSource.prototype.close = function () { window.streamsClosed += 1; close.call(this); };
    }""")
    page.evaluate(HIDE, True)
    wait_for(page, "streamsClosed > 0")
    place.say("Accordion", id="unseen")
    assert page.get_by_role("heading", name="Accordion").count() == 0
    page.evaluate(HIDE, False)
    page.get_by_role("heading", name="Accordion").wait_for()
    assert page.locator(".banner").is_hidden()


def test_the_page_can_be_installed(show, place):
    page = show()
    manifest = page.evaluate(
        "fetch(document.querySelector('link[rel=manifest]').href).then((answer) => answer.json())"
    )
    assert (manifest["start_url"], manifest["display"]) == ("./", "standalone")
    for icon in manifest["icons"]:
        assert page.request.get(f"{place.url}/{icon['src']}").headers["content-type"] == icon["type"]
