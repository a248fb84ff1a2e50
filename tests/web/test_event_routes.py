"""The list of events: filters, pages, what belongs to each event; hostile names and wrong filters."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from detector.clips.clip_folder import ClipStore
from detector.clips.clip_record import ClipFacts, ClipSound
from detector.history.picture_png import picture_png
from detector.history.picture_table import EventPicture, store_pictures
from detector.history.verdict_tables import writing
from detector.web.access.roles import SCOPE_KEY, Role, Visitor
from detector.web.app import make_app
from detector.web.daemon_link import DaemonLink
from detector.wire.encoding import encode
from detector.wire.message import ClipBody, EventBody, VetoBody
from tests.support.fake_daemon import FakeDaemon
from tests.support.fakes import wait_until
from tests.support.history_stores import T0, make_message, make_store
from tests.support.invented_sounds import HOSTILE, LONG
from tests.support.web_pages import TestClient, make_parts, open_page

RUN = "20260801T140000Z-ab12"
CLIP = "20260801T140321Z_dog_ab12-2"


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A page of a history that the tests only read."""
    parts = make_parts(tmp_path_factory.mktemp("shown"))
    fill(parts).close()
    with open_page(parts) as client:
        yield client


@pytest.fixture
def store(parts):
    """A history of a test's own."""
    kept = fill(parts)
    yield kept
    kept.close()


def fill(parts):
    """Write a history of seven messages about four sounds."""
    kept = make_store(parts.history[0])
    kept.write(
        [
            make_message(1, id=f"{RUN}-1", label="Dog", start=T0, top_score=0.4),
            make_message(2, id=f"{RUN}-2", label="Siren", start=T0 + 60, ancestors=("Alarm",)),
            make_message(3, "update", id=f"{RUN}-1", label="Dog", start=T0, top_score=0.95),
            make_message(4, "end", id=f"{RUN}-2", label="Siren", start=T0 + 60, ancestors=("Alarm",)),
            make_message(5, id=f"{RUN}-3", label=HOSTILE, start=T0 + 120, source="<b>Mic</b>", top_score=0.3),
            make_message(6, "end", id=f"{RUN}-1", label="Dog", start=T0, stop=T0 + 3),
            make_message(7, id=f"{RUN}-4", label=LONG, start=T0 + 180),
        ]
    )
    return kept


def ids(answer):
    """The last part of the id of each event."""
    assert answer.status_code == 200, answer.text
    return [event["id"].rpartition("-")[2] for event in answer.json()["events"]]


def listed(page, **query):
    return page.get("/api/v1/events", params=query)


def test_each_sound_is_listed_once_by_its_newest_message_the_newest_first(shown):
    answer = listed(shown)
    assert ids(answer) == ["4", "1", "3", "2"]
    assert [event["seq"] for event in answer.json()["events"]] == [7, 6, 5, 4]
    assert answer.json()["next"] is None


def test_pages_follow_one_another(shown):
    first = listed(shown, limit=3)
    second = listed(shown, limit=3, before=first.json()["next"])
    assert (ids(first), ids(second)) == (["4", "1", "3"], ["2"])
    assert second.json()["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"label": "dog"}, ["1"]),
        ({"label": ["Dog", "Alarm"]}, ["1", "2"]),
        ({"group": "alarms"}, ["2"]),
        ({"label": HOSTILE}, ["3"]),
        ({"label": LONG}, ["4"]),
        ({"label": "' OR 1=1 --"}, []),
        ({"source": "<b>Mic</b>"}, ["3"]),
        ({"source": ["Mic", "nowhere"]}, ["4", "1", "2"]),
        ({"min_score": "0.5"}, ["4", "1", "2"]),
        ({"from": "2026-08-01T14:04:00Z"}, ["4", "3", "2"]),
        ({"to": "2026-08-01T14:04:00Z"}, ["1"]),
        ({"from": "2026-08-01T14:04:00Z", "to": "2026-08-01T14:05:00Z", "before": "5"}, ["2"]),
        ({"label": "", "min_score": "", "limit": ""}, ["4", "1", "3", "2"]),
        ({"hour": "14", "tz": "UTC"}, ["4", "1", "3", "2"]),
        ({"hour": "15", "tz": "UTC"}, []),
        ({"hour": "16", "tz": "Europe/Berlin", "label": "dog"}, ["1"]),
    ],
)
def test_filters(shown, query, found):
    assert ids(listed(shown, **query)) == found


@pytest.mark.parametrize(
    "query",
    [
        {"labels": "Dog"},
        {"min_score": "2"},
        {"min_score": "nan"},
        {"from": "seq:1"},
        {"to": "<script>\n\x1b[31m"},
        {"limit": "0"},
        {"limit": "501"},
        {"before": "-1"},
        {"before": "9" * 30},
        {"before": "٣"},
        {"vetoed": "perhaps"},
        {"hour": "24"},
        {"hour": "-1"},
        {"tz": "../etc"},
        {"label": "a\0b"},
        {"label": ["Dog"] * 51},
    ],
)
def test_a_wrong_filter_is_said_in_one_line(shown, query):
    answer = listed(shown, **query)
    assert answer.status_code == 400
    (error,) = answer.json().values()
    assert error.isprintable()


def test_hostile_names_stay_text_in_json(shown):
    answer = listed(shown)
    assert answer.headers["content-type"] == "application/json"
    assert answer.content.isascii()
    labels = [event["label"] for event in answer.json()["events"]]
    assert {HOSTILE, LONG} <= set(labels)


def test_one_event_has_all_of_its_messages(shown):
    event = shown.get(f"/api/v1/events/{RUN}-1").json()
    assert [message["seq"] for message in event["messages"]] == [1, 3, 6]
    assert (event["seq"], event["clip"], event["verdict_given"], event["picture"]) == (6, None, None, False)


@pytest.mark.parametrize("id", ["nothing", "%2e%2e%2fhistory.db", "' OR 1=1 --", "<script>", "x" * 10_000])
def test_an_event_that_is_not_there_is_not_found(shown, id):
    answer = shown.get(f"/api/v1/events/{id}")
    assert (answer.status_code, list(answer.json())) == (404, ["error"])


def with_clip(parts):
    """A clip of the second sound."""
    sound = ClipSound(f"{RUN}-2", "Siren", "/s", "fake", 0.9, 0.5, 1.0)
    facts = ClipFacts(CLIP, "Siren", "2026-08-01T14:03:21.000Z", 2.5, "Mic", 16000, (sound,))
    return ClipStore(parts.clips).write(facts, b"RIFF", suffix=".wav", speech_score=None)


def test_an_event_comes_with_its_clip_and_its_verdict(page, parts, store):
    with_clip(parts)
    with writing(parts.history[0]) as tables:
        tables.execute(
            "INSERT INTO verdicts (id, label, said, at, network, embedding) "
            "VALUES (?, 'Siren', 'wrong', 1, '', '')",
            (f"{RUN}-2",),
        )
    (event,) = listed(page, label="Siren").json()["events"]
    assert event["clip"] == {
        "id": CLIP,
        "duration": 2.5,
        "start_time": "2026-08-01T14:03:21.000Z",
        "state": "saved",
    }
    assert event["verdict_given"] == "wrong"


def test_an_event_may_have_a_picture(page, parts, store):
    picture = EventPicture(f"{RUN}-2", bytes([0, 100, 200, 0, 100, 200]), 3, 2)
    with closing(sqlite3.connect(parts.history[0])) as file, file:
        store_pictures(file, [picture], keep=10)
    assert [event["picture"] for event in listed(page).json()["events"]] == [False, False, False, True]
    path = f"/api/v1/events/{RUN}-2/picture"
    answer = page.get(path)
    assert (answer.content, answer.headers["content-type"]) == (picture_png(picture), "image/png")
    again = page.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert page.get(f"/api/v1/events/{RUN}-1/picture").status_code == 404


def test_what_became_of_a_clip_that_was_not_saved_is_told(page, parts, store):
    body = ClipBody(
        id="c",
        state="dropped",
        reason="speech",
        path=None,
        label="Dog",
        start_time=None,
        duration=3.0,
        events=(f"{RUN}-1",),
        source="Mic",
        time=None,
    )
    parts.daemon.clips[f"{RUN}-1"] = body
    (event,) = listed(page, label="Dog").json()["events"]
    assert event["clip"] == {
        "id": "c",
        "duration": 3.0,
        "start_time": None,
        "state": "dropped",
        "reason": "speech",
    }


def test_guests_see_no_clips(parts, store):
    with_clip(parts)
    app = make_app(parts).router

    async def as_guest(scope, receive, send):
        await app({**scope, SCOPE_KEY: Visitor(Role.GUEST)}, receive, send)

    events = TestClient(as_guest).get("/api/v1/events").json()["events"]
    assert [event["clip"] for event in events] == [None] * 4


def test_the_head_of_a_stream_has_an_end(shown):
    head = shown.head("/api/v1/events/stream")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize("query", ["since=x", "since=-1", "label=Dog&from=2h", "min_score=2"])
def test_a_wrong_filter_of_a_stream_is_said_in_one_line(shown, query):
    answer = shown.get(f"/api/v1/events/stream?{query}")
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_vetoed_events_are_listed_when_they_are_asked_for(page, parts, store):
    body = make_message(1, id=f"{RUN}-9", label="Bird", start=T0).body
    assert isinstance(body, EventBody)
    line = encode(replace(body, vetoed=VetoBody(2, f"{RUN}-1"))).line.decode()
    with writing(parts.history[0]) as tables:
        tables.execute("INSERT INTO vetoed_events (id, after_seq, line) VALUES (?, 3, ?)", (f"{RUN}-9", line))
    assert ids(listed(page, vetoed="1")) == ["9"]
    assert ids(listed(page, vetoed="1", source="elsewhere")) == []
    assert ids(listed(page, vetoed="1", hour="15", tz="UTC")) == []
    assert ids(listed(page, vetoed="0")) == ["4", "1", "3", "2"]
    assert page.get(f"/api/v1/events/{RUN}-9").json()["vetoed"]["verdicts"] == 2


def test_without_a_history_the_remembered_sounds_are_listed(parts):
    link = DaemonLink([], remembers=True)
    for seq, id in enumerate(("a", "b", "a", "c"), 1):
        link.recent.take(make_message(seq, id=id))
    with open_page(replace(parts, daemon=link)) as page:
        first = listed(page, limit=2)
        assert [event["id"] for event in first.json()["events"]] == ["c", "a"]
        assert first.json()["next"] == 3
        assert [event["id"] for event in listed(page, before=3).json()["events"]] == ["b"]
        assert [each["seq"] for each in page.get("/api/v1/events/a").json()["messages"]] == [1, 3]
        assert listed(page, vetoed="1").json() == {"events": [], "next": None}


def test_a_history_of_another_time_is_not_shown_for_a_daemon_that_keeps_none(parts, store, tmp_path):
    with FakeDaemon(tmp_path / "events.sock", history=False) as daemon:
        daemon.tell(make_message(1, id="new"))
        link = DaemonLink([daemon.uri])
        with open_page(replace(parts, daemon=link)) as page:
            wait_until(lambda: link.recent.after(0))
            assert [event["id"] for event in listed(page).json()["events"]] == ["new"]


def test_without_a_history_there_are_no_events(page):
    assert listed(page).json() == {"events": [], "next": None}


def test_a_history_that_cannot_be_read_is_said_without_its_path(page, parts):
    parts.history[0].write_bytes(b"no database at all, but long enough to be looked at" * 30)
    answer = listed(page)
    assert answer.status_code == 503
    assert str(parts.history[0]) not in answer.text


@pytest.mark.parametrize("wanted", [{}, {"label": "Dog"}])
def test_damaged_rows_are_left_out_and_counted_and_the_pages_go_on(page, parts, store, wanted):
    rows = [make_message(seq, id=f"{RUN}-{seq}", label="Dog") for seq in range(11, 31)]
    store.write(rows)
    lost = {12, 19, 20, 21, 22, 23, 30}
    with closing(sqlite3.connect(parts.history[0])) as file, file:
        for seq in lost:
            damaged = '{"label": "Dog"' if seq % 2 else '{"label": "Dog", "type": 7}'
            file.execute("UPDATE messages SET line = ? WHERE seq = ?", (damaged, seq))
    seen, before, said = [], None, 0
    while True:
        answer = listed(page, limit=2, **wanted, **({} if before is None else {"before": before}))
        assert answer.status_code == 200
        seen += [event["seq"] for event in answer.json()["events"]]
        said += answer.json().get("damaged", 0)
        before = answer.json()["next"]
        if before is None:
            break
    assert [seq for seq in seen if seq > 10] == [seq for seq in range(30, 10, -1) if seq not in lost]
    assert len(seen) == len(set(seen))
    assert said == len(lost)
    assert "damaged" not in listed(page, limit=1, before=12).json()


def test_numbers_that_are_none_become_null(page, parts, store):
    with closing(sqlite3.connect(parts.history[0])) as file, file:
        (line,) = file.execute("SELECT line FROM messages WHERE seq = 7").fetchone()
        odd = {**json.loads(line), "level_dbfs": float("nan"), "source": "\ud800", "score": 0.125}
        text = json.dumps(odd).replace("0.125", "1e999")
        file.execute("UPDATE messages SET line = ? WHERE seq = 7", (text,))
    event = listed(page, limit=1).json()["events"][0]
    assert (event["level_dbfs"], event["score"], event["source"]) == (None, None, "\ud800")


def test_a_day_of_many_events_opens_quickly_enough_to_be_read_page_by_page(parts):
    """No time is asserted: that each page reads a part only is what makes it quick."""
    kept = make_store(parts.history[0])
    kept.write([make_message(n, id=f"{RUN}-{n // 2}", start=T0 + n) for n in range(1, 2001)])
    kept.close()
    with open_page(parts) as page:
        seqs, before = [], None
        while True:
            answer = listed(page, limit=500, **({} if before is None else {"before": before})).json()
            seqs += [event["seq"] for event in answer["events"]]
            if (before := answer["next"]) is None:
                break
    assert seqs == sorted({*range(1, 2001, 2), 2000}, reverse=True)
