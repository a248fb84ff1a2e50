"""The history as the daemon uses it: when one is kept, and how the dispatcher goes with it."""

import pytest

from detector.assemble.service import keeps_history, make_history
from detector.config.settings import HistorySettings, Settings, SourceSettings
from detector.delivery.dispatcher import Dispatcher
from detector.errors import SinkError
from detector.history.journal import Journal
from detector.history.sequence_numbers import SequenceNumbers
from detector.wire.message import StatusBody
from tests.support.fakes import LONG, MemorySink
from tests.support.history_stores import T0, make_store, rows
from tests.support.wire_messages import make_body

EVENT = make_body()


@pytest.mark.parametrize(
    ("input", "enabled", "kept"),
    [
        (None, None, True),
        ("-", None, True),
        ("party.wav", None, False),
        ("party.wav", True, True),
        (None, False, False),
    ],
)
def test_what_is_live_is_kept_unless_told_otherwise(input, enabled, kept):
    settings = Settings(source=SourceSettings(input=input), history=HistorySettings(enabled=enabled))
    assert keeps_history(settings) is kept


def test_it_is_made_where_the_settings_say(tmp_path):
    history = make_history(Settings(history=HistorySettings(path=str(tmp_path / "h.db"))), {})
    dispatcher = Dispatcher([], journal=history.journal)
    dispatcher.start()
    dispatcher.publish(EVENT)
    dispatcher.close(LONG)
    assert [message.body.id for message in history.archive.after(0, 10)] == ["run-1"]
    assert history.archive.newest_seq == 1


def make_journal(path):
    numbers = SequenceNumbers(utc=lambda: T0)
    return Journal(make_store(path, numbers), numbers)


def test_numbers_and_events_go_on_from_run_to_run(tmp_path):
    path = tmp_path / "history.db"
    told = []
    for _ in range(3):
        sink = MemorySink()
        dispatcher = Dispatcher([sink], journal=make_journal(path))
        dispatcher.start()
        for _ in range(2):
            dispatcher.publish(EVENT)
        dispatcher.publish(StatusBody(state="listening", source="Mic", time=None))
        dispatcher.close(LONG)
        told += sink.told("seq")
        stats = dispatcher.journal_stats()
        assert (stats.written, stats.backlog, stats.lost, stats.working) == (2, 0, 0, True)
    assert told == [1, 2, None, 3, 4, None, 5, 6, None]
    assert rows(path) == [1, 2, 3, 4, 5, 6]


def test_a_run_begins_where_the_one_before_ended(tmp_path):
    for seq in (0, 1):
        journal = make_journal(tmp_path / "history.db")
        dispatcher = Dispatcher([], journal=journal)
        dispatcher.start()
        assert journal.recorded_seq == dispatcher.seq == seq
        dispatcher.publish(EVENT)
        dispatcher.close(LONG)
        assert journal.recorded_seq == dispatcher.seq == seq + 1


def test_a_sink_that_cannot_be_opened_leaves_the_history_to_the_next_try(tmp_path):
    path = tmp_path / "history.db"
    with pytest.raises(SinkError):
        Dispatcher([MemorySink(open_error=SinkError("address in use"))], journal=make_journal(path)).start()
    dispatcher = Dispatcher([], journal=make_journal(path))
    dispatcher.start()
    dispatcher.publish(EVENT)
    dispatcher.close(LONG)
    assert rows(path) == [1]
