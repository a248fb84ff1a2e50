"""Verdicts in a daemon: stored on a thread of their own, in force at once, harmless without a disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from detector.errors import VerdictError
from detector.history.event_store import EventStore
from detector.history.verdict_file import VerdictFile
from detector.history.verdict_keeper import VerdictKeeper
from detector.records import Embedding
from detector.verdicts.verdict_book import VerdictBook
from detector.verdicts.verifier import Outcome
from detector.wire.request import VerdictLine
from tests.support.fakes import make_label
from tests.support.history_stores import T0, make_message, make_store

DOG, COUGH = make_label("Dog"), make_label("Cough")
SOUND = Embedding("yamnet", np.float32([1.0, 0.5, 0.0]))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    store = make_store(tmp_path / "history.db")
    store.write([make_message(1), make_message(2)])
    yield store
    store.close()


class Kept:
    """A keeper that runs, and its book."""

    def __init__(self, path: Path, *, use: bool = True) -> None:
        self.book = VerdictBook()
        self.labels = [DOG, COUGH]
        file = VerdictFile(path, keep=10)
        self.keeper = VerdictKeeper(file, self.book, lambda: self.labels, use=use, utc=lambda: T0)
        self.keeper.start()

    def say(self, id: str, said: str) -> str:
        return self.keeper.answer(VerdictLine(id=id, said=said)).message

    @property
    def outcome(self) -> Outcome:
        return self.book.judge(DOG, SOUND).outcome


@pytest.fixture
def kept(store: EventStore) -> Iterator[Kept]:
    kept = Kept(store.path)
    yield kept
    kept.keeper.close(5.0)


def test_a_verdict_counts_as_soon_as_it_is_answered(kept: Kept) -> None:
    kept.keeper.keep(make_message(1), SOUND)
    assert kept.outcome is Outcome.KEEP
    assert kept.say("run-1", "wrong") == "Dog of run-1: wrong; 1 verdict on Dog"
    assert kept.outcome is Outcome.VETO
    assert kept.say("last", "Cough") == "Dog of run-1: Cough; before: wrong; 1 verdict on Dog"
    assert kept.outcome is Outcome.RENAME
    body = kept.keeper.answer(VerdictLine(forget="all"))
    assert (body.message, body.taken_back, body.said) == ("1 verdict taken back", 1, None)
    assert kept.outcome is Outcome.KEEP


def test_verdicts_of_earlier_runs_count_from_the_start_on(store: EventStore, kept: Kept) -> None:
    kept.keeper.keep(make_message(1), SOUND)
    kept.say("run-1", "wrong")
    again = Kept(store.path)
    assert again.outcome is Outcome.VETO
    again.keeper.close(5.0)


def test_one_setting_switches_them_off_and_on(store: EventStore) -> None:
    kept = Kept(store.path, use=False)
    kept.keeper.keep(make_message(1), SOUND)
    assert kept.say("run-1", "wrong").endswith("without effect, as verdicts.use is false")
    assert kept.outcome is Outcome.KEEP
    kept.keeper.change(use=True, keep=10)
    kept.keeper.close(5.0)  # after what was asked before
    assert kept.outcome is Outcome.VETO


def test_a_change_reads_what_commands_have_written(store: EventStore, kept: Kept) -> None:
    kept.keeper.keep(make_message(1), SOUND)
    kept.say("run-1", "right")
    VerdictFile(store.path, keep=10).give("run-1", "wrong", at=T0, labels=["Dog"])
    assert kept.outcome is Outcome.KEEP
    kept.keeper.change(use=True, keep=10)
    kept.say("run-1", "wrong")  # answered after the change
    assert kept.outcome is Outcome.VETO


def test_verdicts_without_effect_are_told(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    kept.keeper.keep(make_message(1), SOUND)
    kept.say("run-1", "Cough")
    kept.labels.remove(COUGH)
    kept.keeper.change(use=True, keep=10)
    kept.keeper.close(5.0)
    assert kept.outcome is Outcome.KEEP
    assert "verdicts.without_effect count=1 labels=['Cough', 'Dog']" in caplog.text


def test_faults_go_to_whoever_asked_and_the_thread_goes_on(kept: Kept) -> None:
    with pytest.raises(VerdictError, match="there is no event 'run-7'"):
        kept.say("run-7", "wrong")
    kept.keeper.keep(make_message(1), SOUND)
    assert kept.say("run-1", "wrong")


def test_events_without_an_embedding_are_not_stored(store: EventStore, kept: Kept) -> None:
    kept.keeper.keep(make_message(1), None)
    kept.keeper.close(5.0)
    with closing(sqlite3.connect(store.path)) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'event_embeddings'")
        assert tables.fetchone()[0] == 0


def test_without_a_file_the_daemon_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged: that there is no history is said by the history."""
    kept = Kept(tmp_path / "gone" / "history.db")
    kept.keeper.keep(make_message(1), SOUND)
    kept.keeper.keep(make_message(2), SOUND)
    kept.keeper.close(5.0)
    assert kept.keeper.lost == 2
    assert "verdicts." not in caplog.text


def test_a_file_that_cannot_be_read_or_written_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(b"of another program" * 1000)
    kept = Kept(path)
    kept.keeper.keep(make_message(1), SOUND)
    kept.keeper.keep(make_message(2), SOUND)
    kept.keeper.close(5.0)
    assert kept.keeper.lost == 2
    assert caplog.text.count("verdicts.unread") == 1
    assert caplog.text.count("verdicts.embeddings_lost") == 1


def test_after_the_end_nobody_waits(kept: Kept) -> None:
    kept.keeper.close(5.0)
    with pytest.raises(VerdictError, match="or the daemon ends"):
        kept.say("run-1", "wrong")


def test_an_answer_that_the_disk_withholds_is_not_waited_for(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.history.verdict_keeper.ANSWER_SECONDS", 0.01)
    with closing(sqlite3.connect(kept.keeper._file.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(VerdictError, match="the disk does not answer"):
            kept.say("run-1", "wrong")
