"""The overview and the levels of the page's API, and what is refused."""

from __future__ import annotations

import pytest

from detector.audio.level_minute import LevelMinute
from detector.wire.message import utc_text
from tests.support.history_stores import T0, make_message, make_store
from tests.support.invented_sounds import HOSTILE
from tests.support.web_pages import make_parts, open_page

NOW = T0


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A page of a history of the last hour, with a calibrated microphone."""
    parts = make_parts(tmp_path_factory.mktemp("overview"), level_offset_db=94.5, utc=lambda: NOW)
    store = make_store(parts.history[0])
    store.write(
        [
            make_message(1, "start", id="a", label="Dog", start=NOW - 30),
            make_message(2, "end", id="a", label=HOSTILE[0], start=NOW - 30, stop=NOW - 29),
            make_message(3, "end", id="b", label="Cat", start=NOW - 20, stop=NOW - 10, source="Yard"),
        ]
    )
    levels = [LevelMinute("Mic", int(NOW // 60) - n, 60.0, 0.0, 60e-5, 1e-4, {140: 2000}) for n in range(60)]
    store.write((), levels)
    yield (client := open_page(parts).__enter__())
    client.__exit__(None, None, None)
    store.close()


def test_the_overview_has_what_the_page_shows(shown):
    found = shown.get("/api/v1/overview", params={"days": 1, "tz": "UTC"}).json()
    label = HOSTILE[0]
    assert set(found["labels"]) == set(found["hours"]) == {label, "Cat"}
    assert sum(found["hours"][label]) == 1 and len(found["hours"][label]) == 24
    assert found["events"] == 2
    assert [day["total"] for day in found["days"]] == [2]
    assert found["first_this_week"][0]["label"] == "Cat" and found["first_this_week"][0]["id"] == "b"
    assert found["first_this_week"][0]["time"].endswith("Z")
    assert found["heard"]["share"] == 1.0 and found["heard"]["lost_seconds"] == 0
    assert found["longest_silence"]["seconds"] > 0
    assert found["longest_silence"]["start"] < found["longest_silence"]["end"]


def test_days_sources_and_time_zones_can_be_chosen(shown):
    found = shown.get("/api/v1/overview", params={"days": 30, "source": "Yard", "tz": "Asia/Tokyo"}).json()
    assert len(found["days"]) == 30 and found["labels"] == ["Cat"]
    assert found["tz"] == "Asia/Tokyo"
    usual = shown.get("/api/v1/overview").json()
    assert len(usual["days"]) == 7 and usual["tz"] is None


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe", "x" * 300])
def test_a_zone_that_the_machine_does_not_know_is_its_own_time(shown, zone):
    found = shown.get("/api/v1/overview", params={"tz": zone})
    assert (found.status_code, found.json()["tz"]) == (200, None)


def test_utc_is_known_everywhere(shown):
    assert shown.get("/api/v1/overview", params={"tz": "UTC"}).json()["tz"] == "UTC"


def test_the_same_sound_is_in_another_hour_of_the_day_in_another_zone(shown):
    hours = [
        shown.get("/api/v1/overview", params={"tz": zone, "days": 2}).json()["hours"]["Cat"].index(1)
        for zone in ("UTC", "Asia/Tokyo")
    ]
    assert (hours[1] - hours[0]) % 24 == 9


def test_levels_are_columns_of_one_length_with_the_offset_beside_them(shown):
    found = shown.get("/api/v1/levels").json()
    assert (found["offset_db"], found["step"], found["source"], found["sources"]) == (
        94.5,
        60,
        "Mic",
        ["Mic"],
    )
    names = ("minutes", "leq", "max", "l10", "l90", "heard", "lost")
    assert {len(found[name]) for name in names} == {60}
    assert (found["leq"][0], found["max"][0], found["l10"][0]) == (-50.0, -40.0, -49.8)
    part = shown.get("/api/v1/levels", params={"from": utc_text(NOW - 600), "source": "Mic"}).json()
    assert len(part["minutes"]) == 10
    assert shown.get("/api/v1/levels", params={"source": "Yard"}).json()["minutes"] == []


def test_without_a_history_there_is_nothing_and_no_error(page):
    overview, levels = page.get("/api/v1/overview").json(), page.get("/api/v1/levels").json()
    assert (overview["labels"], overview["heard"], overview["events"]) == ([], None, 0)
    assert (levels["minutes"], levels["leq"], levels["offset_db"]) == ([], [], 0.0)


@pytest.mark.parametrize(
    "address",
    [
        "overview?days=0",
        "overview?days=367",
        "overview?days=x",
        "overview?tz=../../etc/passwd",
        "overview?tz=/etc/localtime",
        "overview?tz=a%00b",
        "overview?day=1",
        "levels?from=seq:3",
        "levels?to=soon",
        "levels?minutes=1",
    ],
)
def test_what_is_no_question_is_refused_in_one_line(page, address):
    answer = page.get(f"/api/v1/{address}")
    assert answer.status_code == 400
    assert "\n" not in answer.json()["error"]


def test_a_damaged_history_is_said_to_be_unreadable(page, parts):
    parts.history[0].write_bytes(b"no database" * 1000)
    assert page.get("/api/v1/overview").status_code == 503
    assert page.get("/api/v1/levels").status_code == 503
