"""Verdicts in the history's file: given, replaced, taken back; bounded; gone with what they belong to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from detector.errors import HistoryError, VerdictError
from detector.history import verdict_file
from detector.history.archive import Query, sounds
from detector.history.event_store import EventStore
from detector.history.verdict_effects import LabelReport, verdict_report
from detector.history.verdict_file import KeptMessage, VerdictFile
from detector.history.vetoed_events import vetoed_sounds
from detector.interfaces import Message
from detector.records import Embedding
from detector.wire.encoding import encode
from detector.wire.message import RenameBody, VetoBody, event_of
from tests.support.history_stores import T0, make_message, make_store, rows

LABELS = ("Dog", "Cough", "Cat")


def embedding(kind: int = 0) -> Embedding:
    values = np.zeros(8, np.float32)
    values[kind] = 1.0
    return Embedding("yamnet", values)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    """A history that a daemon has open."""
    store = make_store(tmp_path / "history.db")
    store.write(())
    yield store
    store.close()


@pytest.fixture
def file(store: EventStore) -> VerdictFile:
    return VerdictFile(store.path, keep=1000)


def heard(store: EventStore, file: VerdictFile, *messages: Message, kind: int = 0) -> None:
    """The daemon stores events and their embeddings."""
    store.write([message for message in messages if message.seq is not None])
    file.keep_events([KeptMessage(message, embedding(kind)) for message in messages])


def vetoed(id: str, **more: object) -> Message:
    body = event_of(make_message(1, id=id, vetoed=VetoBody(1, "run-1"), **more))
    return encode(body)


def said(file: VerdictFile) -> list[tuple[str, str, str]]:
    return [(each.event_id, each.label, each.said) for each in file.verdicts()]


def table(path: Path, name: str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute(f"SELECT id FROM {name} ORDER BY number")]  # noqa: S608


def test_a_verdict_has_the_embedding_of_its_event(store: EventStore, file: VerdictFile) -> None:
    heard(store, file, make_message(1), kind=3)
    given = file.give("run-1", "wrong", at=T0, labels=LABELS)
    assert (given.replaced, given.fell_out, given.on_label) == (None, None, 1)
    (verdict,) = file.verdicts()
    assert verdict == given.verdict
    assert (verdict.event_id, verdict.label, verdict.said, verdict.at) == ("run-1", "Dog", "wrong", T0)
    assert verdict.score == 0.9
    assert verdict.base == "yamnet" and verdict.embedding.argmax() == 3


def test_of_two_on_the_same_event_the_newest_counts(store: EventStore, file: VerdictFile) -> None:
    heard(store, file, make_message(1))
    file.give("run-1", "wrong", at=T0, labels=LABELS)
    assert file.give("run-1", "right", at=T0 + 1, labels=LABELS).replaced == "wrong"
    assert said(file) == [("run-1", "Dog", "right")]


def test_an_event_may_be_named_by_a_part_of_its_id_or_as_the_last(
    store: EventStore, file: VerdictFile
) -> None:
    heard(store, file, make_message(1, id="20261128T1-aaaa-1"), make_message(2, id="20261129T1-bbbb-1"))
    heard(store, file, vetoed("20261129T1-bbbb-2"))
    assert file.give("20261128", "right", at=T0, labels=LABELS).verdict.event_id == "20261128T1-aaaa-1"
    for wanted in ("last", "20261129T1-bbbb-1", "bbbb-1"):
        assert file.give(wanted, "right", at=T0, labels=LABELS).verdict.event_id == "20261129T1-bbbb-1"
    assert file.give("2", "wrong", at=T0, labels=LABELS).verdict.event_id == "20261129T1-bbbb-2"
    with pytest.raises(VerdictError, match="20261129T1-bbbb-1 or 20261128T1-aaaa-1: give more"):
        file.give("1", "right", at=T0, labels=LABELS)


@pytest.mark.parametrize("wanted", ["run-9", "", "'; DROP TABLE verdicts; --", "\udcff", "\x1b[31m"])
def test_an_event_that_is_not_there_is_told(store: EventStore, file: VerdictFile, wanted: str) -> None:
    heard(store, file, make_message(1))
    with pytest.raises(VerdictError, match="there is no event") as told:
        file.give(wanted, "wrong", at=T0, labels=LABELS)
    assert str(told.value).isprintable()


def test_before_the_first_event_there_is_no_last_one(file: VerdictFile) -> None:
    with pytest.raises(VerdictError, match="no event yet"):
        file.give("last", "wrong", at=T0, labels=LABELS)


@pytest.mark.parametrize("name", ["Dgo", "", "right wrong", "a\x1b[31m", "\udcff", "D" * 5000])
def test_a_word_that_is_no_label_is_told(store: EventStore, file: VerdictFile, name: str) -> None:
    heard(store, file, make_message(1))
    with pytest.raises(VerdictError, match="expected right, wrong or a label") as told:
        file.give("last", name, at=T0, labels=LABELS)
    assert str(told.value).isprintable() and len(str(told.value)) < 300
    assert said(file) == []


def test_labels_are_named_in_any_case_of_letters(store: EventStore, file: VerdictFile) -> None:
    heard(store, file, make_message(1), make_message(2))
    assert file.give("run-1", " cOUGH ", at=T0, labels=LABELS).verdict.said == "Cough"
    assert file.give("run-2", "dog", at=T0, labels=LABELS).verdict.said == "right"


def test_a_verdict_on_a_renamed_event_is_about_what_the_detector_heard(
    store: EventStore, file: VerdictFile
) -> None:
    renamed = RenameBody("Dog", 1, "run-1")
    for number, word, meant in (
        (1, "right", "Cough"),
        (2, "wrong", "wrong"),
        (3, "Dog", "right"),
        (4, "Cat", "Cat"),
    ):
        heard(store, file, make_message(number, label="Cough", verdict=renamed))
        verdict = file.give("last", word, at=T0, labels=LABELS).verdict
        assert (verdict.label, verdict.said) == ("Dog", meant)


def test_embeddings_of_the_newest_events_are_kept(store: EventStore) -> None:
    file = VerdictFile(store.path, keep=2)
    for number in (1, 2, 3):
        heard(store, file, make_message(number))
    assert table(store.path, "event_embeddings") == ["run-2", "run-3"]
    with pytest.raises(VerdictError, match=r"no embedding is kept of 'run-1': the newest 2 events"):
        file.give("run-1", "wrong", at=T0, labels=LABELS)


def test_none_is_kept_where_that_is_off(store: EventStore, file: VerdictFile) -> None:
    heard(store, file, make_message(1))
    file.keep = 0
    heard(store, file, make_message(2))
    assert table(store.path, "event_embeddings") == []


def test_an_embedding_follows_the_corrections_of_the_label_alone(
    store: EventStore, file: VerdictFile
) -> None:
    heard(store, file, make_message(1, id="a"), kind=0)
    heard(store, file, make_message(2, "update", id="a"), kind=1)
    assert file.give("a", "right", at=T0, labels=LABELS).verdict.embedding.argmax() == 0
    heard(store, file, make_message(3, "update", id="a", label="Cat"), kind=2)
    verdict = file.give("a", "right", at=T0, labels=LABELS).verdict
    assert (verdict.label, verdict.embedding.argmax()) == ("Cat", 2)


def test_embeddings_and_vetoed_sounds_go_with_the_events_of_their_time(
    store: EventStore, file: VerdictFile
) -> None:
    heard(store, file, make_message(1, id="a"), make_message(2, "end", id="a"), vetoed("b"))
    heard(store, file, make_message(3, id="c"), vetoed("d"))
    file.give("a", "wrong", at=T0, labels=LABELS)
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("DELETE FROM messages WHERE seq = 1")
        assert table(store.path, "event_embeddings") == ["a", "b", "c", "d"]
        connection.execute("DELETE FROM messages WHERE seq <= 3")
    assert table(store.path, "event_embeddings") == ["d"]
    assert table(store.path, "vetoed_events") == ["d"]
    assert said(file) == [("a", "Dog", "wrong")]


def test_verdicts_are_bounded_and_the_oldest_falls_out(
    store: EventStore, file: VerdictFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdict_file, "MOST_VERDICTS", 3)
    heard(store, file, *(make_message(number) for number in range(1, 6)))
    fallen = [file.give(f"run-{n}", "wrong", at=T0 + n, labels=LABELS).fell_out for n in range(1, 6)]
    assert [each and each.event_id for each in fallen] == [None, None, None, "run-1", "run-2"]
    assert [id for id, _, _ in said(file)] == ["run-3", "run-4", "run-5"]


def test_verdicts_are_taken_back_by_event_by_label_and_all(store: EventStore, file: VerdictFile) -> None:
    labels = ("Dog", "Cat", "Dog", "Dog")
    heard(store, file, *(make_message(n, label=label) for n, label in enumerate(labels, start=1)))
    for number in range(1, 5):
        file.give(f"run-{number}", "wrong", at=T0 + number, labels=LABELS)
    assert [each.event_id for each in file.forget("3")] == ["run-3"]
    assert [each.event_id for each in file.forget("DOG")] == ["run-1", "run-4"]
    with pytest.raises(VerdictError, match="there is no verdict on 'Dog'"):
        file.forget("Dog")
    assert [each.event_id for each in file.forget("all")] == ["run-2"]
    assert said(file) == []


def test_a_vetoed_sound_is_kept_apart_from_the_events(store: EventStore, file: VerdictFile) -> None:
    heard(store, file, make_message(1), vetoed("v", kind="start"))
    heard(store, file, vetoed("v", kind="end", top_score=0.5), make_message(2))
    assert [message.seq for message in sounds(store.path, Query())] == [1, 2]
    (sound,) = vetoed_sounds(store.path, Query())
    assert (event_of(sound).id, event_of(sound).kind, sound.seq) == ("v", "end", None)
    assert event_of(sound).vetoed == VetoBody(1, "run-1")
    assert file.give("v", "right", at=T0, labels=LABELS).verdict.said == "right"


def test_vetoed_sounds_are_found_as_events_are(store: EventStore, file: VerdictFile) -> None:
    heard(store, file, vetoed("a", start=T0))
    heard(store, file, make_message(1), vetoed("b", start=T0 + 60, label="Cat"))
    for query, ids in (
        (Query(labels=("cat",)), ["b"]),
        (Query(since=T0 + 1), ["b"]),
        (Query(until=T0 + 1), ["a"]),
        (Query(since=1), ["b"]),
        (Query(until=1), ["a"]),
        (Query(limit=1), ["b"]),
        (Query(min_score=0.95), []),
    ):
        assert [event_of(message).id for message in vetoed_sounds(store.path, query)] == ids


def test_a_sound_that_is_told_after_all_is_no_vetoed_one(store: EventStore, file: VerdictFile) -> None:
    heard(store, file, vetoed("v"))
    heard(store, file, make_message(1, id="v", label="Cat"))
    assert vetoed_sounds(store.path, Query()) == []
    assert file.give("v", "right", at=T0, labels=LABELS).verdict.label == "Cat"


def test_the_report_counts_what_verdicts_did(store: EventStore, file: VerdictFile) -> None:
    heard(store, file, make_message(1), make_message(2, "end", id="run-1"), make_message(3), vetoed("v"))
    heard(store, file, make_message(4, label="Cough", verdict=RenameBody("Dog", 1, "run-1")))
    heard(store, file, make_message(5, label="Cat"))
    for wanted, word in (("run-1", "wrong"), ("run-3", "right"), ("run-5", "Cough")):
        file.give(wanted, word, at=T0, labels=LABELS)
    assert verdict_report(store.path) == [
        LabelReport("Cat", heard=1, vetoed=0, renamed=0, right=0, wrong=0, other=1),
        LabelReport("Dog", heard=4, vetoed=1, renamed=1, right=1, wrong=1, other=0),
    ]
    assert [row.told for row in verdict_report(store.path)] == [1, 2]


def test_a_label_cannot_look_like_a_renamed_one(store: EventStore, file: VerdictFile) -> None:
    hostile = 'x","verdict":{"heard":"Dog'
    heard(store, file, make_message(1, label=hostile))
    file.give("last", "wrong", at=T0, labels=LABELS)
    assert verdict_report(store.path) == [
        LabelReport(hostile, heard=1, vetoed=0, renamed=0, right=0, wrong=1, other=0)
    ]


def test_a_history_of_before_has_no_verdicts(store: EventStore, file: VerdictFile) -> None:
    assert (file.verdicts(), vetoed_sounds(store.path, Query()), verdict_report(store.path)) == ([], [], [])


def test_the_daemon_goes_on_while_others_write(store: EventStore, file: VerdictFile) -> None:
    heard(store, file, make_message(1))
    file.give("run-1", "wrong", at=T0, labels=LABELS)
    store.write([make_message(2)])
    assert rows(store.path) == [1, 2]


def test_a_damaged_embedding_is_left_out(store: EventStore, file: VerdictFile) -> None:
    heard(store, file, make_message(1), make_message(2))
    file.give("run-1", "wrong", at=T0, labels=LABELS)
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE verdicts SET embedding = x'00'")
        connection.execute("UPDATE event_embeddings SET embedding = 'text'")
    assert said(file) == []
    with pytest.raises(VerdictError, match="damaged"):
        file.give("run-2", "wrong", at=T0, labels=LABELS)


def test_numbers_that_are_none_are_not_kept(store: EventStore, file: VerdictFile) -> None:
    nothing = Embedding("yamnet", np.full(4, np.nan, np.float32))
    store.write([make_message(1)])
    file.keep_events([KeptMessage(make_message(1), nothing)])
    assert table(store.path, "event_embeddings") == []


def test_a_history_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    file = VerdictFile(tmp_path / "none.db", keep=10)
    with pytest.raises(HistoryError, match="no history yet"):
        file.give("last", "wrong", at=T0, labels=LABELS)
    with pytest.raises(HistoryError):
        file.verdicts()
    assert list(tmp_path.iterdir()) == []


def test_a_history_that_cannot_be_looked_at_is_told(tmp_path: Path) -> None:
    """So it is on a share that went away."""
    (tmp_path / "share").touch()
    with pytest.raises(HistoryError, match="cannot be written: Not a directory"):
        VerdictFile(tmp_path / "share" / "history.db", keep=10).give("last", "wrong", at=T0, labels=LABELS)


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(HistoryError, match="another program"):
        VerdictFile(path, keep=10).give("last", "wrong", at=T0, labels=LABELS)
    assert path.read_bytes() == before


def test_a_history_that_somebody_holds_is_told(
    store: EventStore, file: VerdictFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard(store, file, make_message(1))
    monkeypatch.setattr("detector.history.schema.BUSY_SECONDS", 0.01)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match="cannot be written"):
            file.give("run-1", "wrong", at=T0, labels=LABELS)
