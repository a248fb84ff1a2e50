"""Single sounds of the past, what was said of them, and what came after a number."""

from datetime import UTC, timedelta, timezone

import pytest

from detector.errors import HistoryError
from detector.history.archive import Query, sounds
from detector.history.past_sounds import count_after, messages_of, newest_seq, verdicts_said
from detector.history.verdict_tables import writing
from tests.support.history_stores import make_message, make_store


@pytest.fixture
def path(tmp_path):
    store = make_store(tmp_path / "history.db")
    store.write(
        [
            make_message(1, id="a"),
            make_message(2, id="b", source="porch"),
            make_message(5, "end", id="a"),
            make_message(6, id="c", source="yard"),
        ]
    )
    store.close()
    return tmp_path / "history.db"


@pytest.mark.parametrize(
    ("query", "seqs"),
    [
        (Query(before=6), [2, 5]),
        (Query(before=5), [2]),
        (Query(before=2**70), [2, 5, 6]),
        (Query(before=6, limit=1), [5]),
        (Query(sources=("porch", "yard")), [2, 6]),
        (Query(hour=14, zone=UTC), [2, 5, 6]),
        (Query(hour=14, zone=timezone(timedelta(hours=1))), []),
        (Query(sources=("' OR 1=1 --",)), []),
    ],
)
def test_sounds_are_found_before_a_number_and_by_their_source(path, query, seqs):
    assert [message.seq for message in sounds(path, query)] == seqs


def test_a_sound_has_all_of_its_messages_in_order(path):
    assert [message.seq for message in messages_of(path, "a")] == [1, 5]
    assert messages_of(path, "nothing") == []


def test_a_vetoed_sound_is_found_by_its_id(path):
    line = make_message(1, id="v").line.decode()
    with writing(path) as tables:
        tables.execute("INSERT INTO vetoed_events (id, after_seq, line) VALUES ('v', 2, ?)", (line,))
    assert [message.body.id for message in messages_of(path, "v")] == ["v"]
    assert messages_of(path, "nothing") == []


def test_what_was_said_is_known_of_some(path):
    assert verdicts_said(path, ["a"]) == {}
    with writing(path) as tables:
        tables.execute(
            "INSERT INTO verdicts (id, label, said, at, network, embedding) "
            "VALUES ('a', 'Dog', 'Cat', 1, '', '')"
        )
    assert verdicts_said(path, ["a", "b"]) == {"a": "Cat"}
    assert verdicts_said(path, []) == {}


def test_what_came_after_a_number_is_counted(path):
    assert (newest_seq(path), count_after(path, 1), count_after(path, 6)) == (6, 3, 0)


def test_a_file_that_is_no_history_is_said(tmp_path):
    (tmp_path / "history.db").write_bytes(b"x" * 2000)
    with pytest.raises(HistoryError):
        newest_seq(tmp_path / "history.db")
