"""The newest sounds in memory are found as those of a history are."""

from __future__ import annotations

from datetime import UTC

import pytest

from detector.history.archive import Query, sounds
from detector.web.recent_sounds import MOST_MESSAGES, RecentSounds
from tests.support.history_stores import T0, make_message, make_status, make_store

MESSAGES = [
    make_message(1, id="a", start=T0),
    make_message(2, id="b", start=T0 + 60, label="Cat", top_score=0.3, source="porch"),
    make_message(3, "end", id="a", start=T0),
    make_message(4, id="c", start=T0 + 120, ancestors=("Animal",)),
    make_message(5, id="d", start_time=None),
]


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(labels=("dog",)),
        Query(labels=("Animal", "cat")),
        Query(labels=("nothing",)),
        Query(min_score=0.5),
        Query(sources=("porch",)),
        Query(before=4),
        Query(hour=14, zone=UTC),
        Query(hour=15, zone=UTC),
        Query(since=T0 + 60),
        Query(until=T0 + 60),
        Query(since=T0, until=T0 + 100, before=3),
    ],
)
def test_a_query_finds_what_it_would_find_in_a_history(tmp_path, query):
    recent, store = RecentSounds(), make_store(tmp_path / "history.db")
    store.write(MESSAGES)
    store.close()
    for message in [*MESSAGES, make_status()]:
        recent.take(message)
    in_file = [message.seq for message in sounds(tmp_path / "history.db", query)]
    assert [message.seq for message in recent.find(query)] == in_file[::-1]


def test_the_oldest_sounds_and_messages_go():
    recent = RecentSounds(2)
    for seq in range(1, 101):
        recent.take(make_message(seq, id="long"))
    assert [message.seq for message in recent.messages_of("long")] == [*range(101 - MOST_MESSAGES, 101)]
    for seq, id in ((101, "x"), (102, "y")):
        recent.take(make_message(seq, id=id))
    assert recent.messages_of("long") == []
    assert [message.seq for message in recent.after(101)] == [102]


def test_nothing_is_kept_where_there_is_a_history():
    recent = RecentSounds(0)
    recent.take(make_message(1))
    assert [*recent.find(Query())] == []
