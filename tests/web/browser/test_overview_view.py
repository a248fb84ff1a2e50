"""The overview in a browser: what it shows, where it leads, who can use it."""

from __future__ import annotations

import re

from tests.support.browser_views import faults_at_each_width, violations, wait_for

HOSTILE = "<script>alert(1)</script> " + "x" * 10_000
SOURCES = {"sources": [{"name": "kitchen"}, {"name": "<b>porch</b>"}]}
MINUTE = 1_785_600_000


def overview(days=7):
    """A week of two sounds, one of them with a hostile name."""
    hours = {"Dog": [0] * 24, HOSTILE: [0] * 24}
    hours["Dog"][7], hours[HOSTILE][23] = 12, 1
    dates = [f"2026-08-{day:02}" for day in range(1, days + 1)]
    counted = [{"date": date, "counts": {}, "total": 0} for date in dates]
    counted[-1].update(counts={"Dog": 12, HOSTILE: 1}, total=13)
    return {
        "labels": ["Dog", HOSTILE],
        "hours": hours,
        "days": counted,
        "first_this_week": [{"label": HOSTILE, "time": f"{dates[-1]}T12:00:00Z", "id": "a-1"}],
        "longest_silence": {
            "start": f"{dates[0]}T01:00:00Z",
            "end": f"{dates[0]}T05:30:00Z",
            "seconds": 16200,
        },
        "heard": {"seconds": 86_000 * days, "share": 0.9996, "lost_seconds": 2.5},
        "events": 13,
    }


def levels(offset=0):
    """Three minutes, then a gap of an hour, then one."""
    return {
        "offset_db": offset,
        "minutes": [MINUTE, MINUTE + 60, MINUTE + 120, MINUTE + 3720],
        "leq": [-60.0, -50.0, None, -40.0],
        "max": [-50.0, -20.0, None, -30.0],
        "l10": [-58.0, -48.0, None, -38.0],
        "l90": [-62.0, -52.0, None, -42.0],
        "heard": [60, 60, 0, 60],
        "lost": [0, 0, 0, 0],
    }


ANSWERS = {"GET overview": overview(), "GET levels": levels(), "GET sources": SOURCES}
EMPTY = {
    "labels": [],
    "hours": {},
    "days": [],
    "first_this_week": [],
    "longest_silence": None,
    "events": 0,
    "heard": {"seconds": 0, "share": 0, "lost_seconds": 0},
}


def test_a_square_leads_to_its_sounds_in_the_feed(serve, parts, visit):
    tab = visit(f"{serve(parts)}/#/overview", answers=ANSWERS)
    square = tab.get_by_role("gridcell", name="Dog, 07:00 to 08:00: 12 times")
    square.get_by_role("link").click()
    tab.wait_for_url(re.compile(r"#/feed\?.*label=Dog.*hour=7"))


def test_the_grid_is_one_stop_of_the_keyboard_and_arrow_keys_walk_in_it(serve, parts, visit):
    tab = visit(f"{serve(parts)}/#/overview", answers=ANSWERS)
    grid = tab.get_by_role("grid")
    grid.locator("[tabindex='0']").focus()
    for _ in range(7):
        tab.keyboard.press("ArrowRight")
    assert (
        tab.evaluate("document.activeElement.getAttribute('aria-label')") == "Dog, 07:00 to 08:00: 12 times"
    )
    assert grid.locator("[tabindex='0']").count() == 1
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("End")
    tab.keyboard.press("Enter")
    tab.wait_for_url(re.compile(r"#/feed\?.*hour=23"))


def test_a_bar_leads_to_its_day(serve, parts, visit):
    tab = visit(f"{serve(parts)}/#/overview", answers=ANSWERS, timezone_id="Europe/Zurich")
    tab.get_by_role("link", name=re.compile("7: 13 sounds")).click()
    tab.wait_for_url(re.compile(r"#/feed\?from=2026-08-06T22%3A00.*to=2026-08-07T22%3A00"))


def test_what_was_heard_is_said_and_never_rounded_up_to_all(serve, parts, visit):
    tab = visit(f"{serve(parts)}/#/overview", answers=ANSWERS)
    tab.get_by_text("which is 99.9% of the time. 2.5 s of sound was lost on the way.").wait_for()
    assert "4 h 30 min" in tab.locator(".facts").inner_text()


def test_the_levels_are_a_chart_and_a_table_and_have_the_unit_of_the_offset(serve, parts, visit):
    address = serve(parts)
    tab = visit(f"{address}/#/overview", answers=ANSWERS)
    tab.get_by_text(re.compile(r"loudest −20 dBFS")).wait_for()
    assert tab.locator(".level-chart canvas").count() == 1
    tab.get_by_text("The same as a table").click()
    assert tab.get_by_role("row").filter(has_text="−40").count() == 1
    calibrated = visit(f"{address}/#/overview", answers={**ANSWERS, "GET levels": levels(offset=94)})
    calibrated.get_by_text(re.compile(r"loudest 74 dB\(A\)")).wait_for()


def test_the_period_and_the_microphone_are_asked_for_and_kept_in_the_address(serve, parts, visit):
    queries = []
    answers = {**ANSWERS, "GET overview": lambda request: queries.append(request.url) or overview(1)}
    tab = visit(f"{serve(parts)}/#/overview", answers=answers)
    tab.get_by_role("button", name="Today").click()
    tab.get_by_role("heading", name="Sounds by hour").wait_for()
    tab.get_by_role("combobox").select_option("kitchen")
    wait_for(tab, "location.hash === '#/overview?days=1&source=kitchen'")
    tab.wait_for_selector(".overview:not([aria-busy])")
    assert "overview?days=1&source=kitchen&tz=" in queries[-1]


def test_a_machine_without_time_zones_counts_by_its_own_calendar(serve, parts, visit):
    answers = {
        **ANSWERS,
        "GET overview": lambda request: (
            (400, {"error": "no such zone"}) if "tz=" in request.url else overview()
        ),
    }
    tab = visit(f"{serve(parts)}/#/overview", answers=answers)
    tab.get_by_role("gridcell", name="Dog, 07:00 to 08:00").wait_for()
    assert tab.locator(".toast").count() == 0


def test_it_stays_up_to_date_while_nobody_looks_closely(serve, parts, visit):
    counts = []
    answers = {**ANSWERS, "GET overview": lambda _: counts.append(1) or {**overview(), "events": len(counts)}}
    tab = visit(f"{serve(parts)}/#/overview", answers=answers, clock=True)
    sounds = tab.locator(".fact b").first
    sounds.get_by_text("1", exact=True).wait_for()
    tab.clock.run_for(61_000)
    sounds.get_by_text("2", exact=True).wait_for()
    tab.get_by_role("grid").locator("[tabindex='0']").focus()
    tab.clock.run_for(61_000)
    tab.locator("h1").click()
    tab.clock.run_for(61_000)
    sounds.get_by_text("3", exact=True).wait_for()


def test_a_new_installation_is_told_what_to_do(serve, parts, visit):
    nothing = {key: [] for key in ("minutes", "leq", "max", "l10", "l90", "heard", "lost")}
    answers = {**ANSWERS, "GET overview": EMPTY, "GET levels": {"offset_db": 0, **nothing}}
    tab = visit(f"{serve(parts)}/#/overview", answers=answers)
    tab.get_by_role("heading", name="Nothing to show yet").wait_for()
    assert violations(tab) == []
    tab.get_by_role("link", name="See what is heard now").click()
    tab.wait_for_url(re.compile("#/live"))


def test_everybody_can_use_it_at_every_width_in_light_and_dark(serve, parts, visit):
    tab = visit(f"{serve(parts)}/#/overview", answers=ANSWERS)
    tab.locator(".level-chart canvas").wait_for()
    assert tab.get_by_text(HOSTILE).count() > 0
    assert faults_at_each_width(tab) == []
