"""How long events are kept: by the time that has passed, whatever the machine's clock shows."""

import logging
import random
import sqlite3
from contextlib import closing

import pytest

from detector.history.archive import Query, sounds
from detector.history.retention import PASS_ROWS, HistoryClock
from tests.support.history_stores import DAY, T0, Clocks, make_message, make_store, rows

HOUR = 3600.0
YEAR = 365 * DAY

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")


class Machine:
    """One history, and a machine that is started, left alone, and whose clock is set."""

    def __init__(self, path, *, keep_days=90):
        self.path, self.clocks, self.keep_days, self.seq = path, Clocks(), keep_days, 0
        self.start()

    def start(self):
        self.store = make_store(
            self.path, keep_days=self.keep_days, utc=self.clocks.utc, monotonic=self.clocks.monotonic
        )
        self.store.write([])

    def stop(self):
        self.store.close()

    def hear(self, count=1):
        messages = [make_message(self.seq + n, start=self.clocks.utc()) for n in range(1, count + 1)]
        self.seq += count
        self.store.write(messages)
        self.tidy()

    def tidy(self):
        while self.store.tidy():
            pass

    def run(self, days):
        """An event an hour."""
        for _ in range(round(days * 24)):
            self.clocks.pass_by(HOUR)
            self.hear()


def noted(path, query):
    """What the file notes; read without any help of the code under test."""
    with closing(sqlite3.connect(path)) as file:
        return file.execute(query).fetchone()[0]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path / "history.db")


def test_what_is_too_old_goes_oldest_first(tmp_path):
    machine = Machine(tmp_path / "history.db", keep_days=2)
    machine.run(days=5)
    kept = rows(machine.path)
    assert kept == list(range(kept[0], 121))
    assert 48 <= len(kept) <= 50
    assert machine.store.oldest_seq == kept[0]
    assert noted(machine.path, "SELECT count(*) FROM kept") <= 50, "their marks go with them"


def test_pauses_between_two_runs_count(tmp_path):
    machine = Machine(tmp_path / "history.db", keep_days=2)
    for _ in range(10):
        machine.run(days=0.25)
        machine.stop()
        machine.clocks.pass_by(DAY / 4)
        machine.start()
        machine.tidy()
    assert len(rows(machine.path)) == pytest.approx(24, abs=2)


@pytest.mark.parametrize("step", [YEAR, 73 * YEAR, -56 * YEAR, 100 * DAY, 8 * DAY])
def test_a_clock_that_steps_while_it_runs_deletes_nothing(machine, step, caplog):
    machine.run(days=3)
    machine.clocks.step(step)
    machine.run(days=1)
    machine.clocks.step(-step)
    machine.run(days=1)
    assert len(rows(machine.path)) == 5 * 24
    assert "history.clock_stepped" in caplog.text


@pytest.mark.parametrize("step", [YEAR, 73 * YEAR, -56 * YEAR, 100 * DAY, 8 * DAY])
def test_a_start_with_a_wrong_clock_deletes_nothing(machine, step, caplog):
    machine.run(days=3)
    for wrong in (step, -step, step, -step):
        machine.stop()
        machine.clocks.step(wrong)
        machine.start()
        machine.run(days=0.125)
    assert len(rows(machine.path)) == 3 * 24 + 4 * 3
    assert "history.clock_jumped" in caplog.text


def test_what_was_heard_before_the_clock_was_set_is_kept_for_as_long_as_the_rest(tmp_path):
    machine = Machine(tmp_path / "history.db", keep_days=2)
    machine.clocks.step(-T0)  # 1970: a machine without a battery
    machine.hear()
    machine.clocks.step(T0)
    machine.run(days=1)
    assert rows(machine.path)[0] == 1
    machine.run(days=2)
    assert rows(machine.path)[0] > 1


def restarted(clock, clocks, pause, step=0.0):
    """The history's clock of the next run, which begins after this pause, in which the clock is set."""
    seconds, utc = clock.state()
    clocks.pass_by(pause)
    clocks.step(step)
    following = HistoryClock(longest_pause=DAY, utc=clocks.utc, monotonic=clocks.monotonic)
    following.resume(seconds, utc, "history.db")
    return following


def test_runs_and_pauses_add_up():
    clocks = Clocks()
    clock = HistoryClock(longest_pause=DAY, utc=clocks.utc, monotonic=clocks.monotonic)
    for count in range(1, 6):
        clocks.pass_by(HOUR)
        clock = restarted(clock, clocks, 2 * HOUR)
        assert clock.now() == pytest.approx(count * 3 * HOUR, abs=count)


@pytest.mark.parametrize("step", [56 * YEAR, -56 * YEAR])
def test_a_pause_after_the_clock_was_set_counts(step):
    clocks = Clocks()
    clock = HistoryClock(longest_pause=DAY, utc=clocks.utc, monotonic=clocks.monotonic)
    clocks.step(step)
    clocks.pass_by(HOUR)
    assert restarted(clock, clocks, HOUR).now() == pytest.approx(2 * HOUR, abs=1)


def test_a_clock_that_is_an_hour_behind_at_a_start_adds_no_pause_later():
    """The next start has the right clock again, an hour later than the one before."""
    clocks = Clocks()
    clock = HistoryClock(longest_pause=DAY, utc=clocks.utc, monotonic=clocks.monotonic)
    clocks.pass_by(HOUR)
    for step in (-HOUR, HOUR, -HOUR, HOUR):
        clock = restarted(clock, clocks, 0, step)
    assert clock.now() == pytest.approx(HOUR, abs=4)


def test_a_pass_that_deletes_nothing_says_nothing(machine, caplog):
    caplog.set_level(logging.INFO)
    machine.run(days=1)
    assert "history.deleted" not in caplog.text


def test_a_right_clock_is_no_news_and_a_step_is_mentioned_once(machine, caplog):
    for _ in range(3):
        machine.run(days=0.25)
        machine.stop()
        machine.clocks.pass_by(HOUR)
        machine.start()
    assert "clock" not in caplog.text
    machine.clocks.step(YEAR)
    machine.run(days=1)
    assert caplog.text.count("history.clock_stepped") == 1


def test_each_start_and_each_end_notes_the_clock_so_that_a_crash_costs_no_pause(machine):
    query = "SELECT value FROM meta WHERE key = 'clock_utc'"
    machine.clocks.pass_by(HOUR)
    machine.stop()
    assert noted(machine.path, query) == int(machine.clocks.utc())
    machine.clocks.pass_by(HOUR)
    machine.start()
    assert noted(machine.path, query) == int(machine.clocks.utc())


def test_events_are_marked_once_an_hour(machine):
    for _ in range(240):
        machine.clocks.pass_by(HOUR / 10)
        machine.hear()
    assert noted(machine.path, "SELECT count(*) FROM kept") == pytest.approx(24, abs=1)


def test_a_new_file_is_marked_with_its_first_event(machine):
    machine.hear()
    machine.path.unlink()
    machine.hear()
    assert noted(machine.path, "SELECT max(seq) FROM kept") == 2


def test_a_clock_that_is_hours_ahead_at_each_boot_costs_these_hours_once(tmp_path):
    """As where the battery's clock shows local time: set right a moment after the start."""
    machine = Machine(tmp_path / "history.db", keep_days=4)
    machine.run(days=3)
    for _ in range(20):
        machine.stop()
        machine.clocks.step(12 * HOUR)
        machine.start()
        machine.hear()
        machine.clocks.step(-12 * HOUR)
        machine.hear()
    assert rows(machine.path)[0] == 1


@pytest.mark.parametrize("seed", range(4))
def test_a_clock_that_jumps_at_any_moment_deletes_nothing_too_early(tmp_path, seed):
    """Every event stays for its time, less one pause that was believed."""
    draw, keep = random.Random(seed), 8  # noqa: S311
    machine = Machine(tmp_path / "history.db", keep_days=keep)
    heard_at = {}
    passed = 0.0
    for _ in range(150):
        action = draw.choice(("hear", "hear", "wait", "step", "restart"))
        if action == "hear":
            machine.hear()
            heard_at[machine.seq] = passed
        elif action == "wait":
            wait = draw.uniform(0, 6 * HOUR)
            machine.clocks.pass_by(wait)
            passed += wait
        elif action == "step":
            machine.clocks.step(draw.choice((-1, 1)) * draw.choice((3 * DAY, 90 * DAY, YEAR, 50 * YEAR)))
        else:
            machine.stop()
            machine.start()
        machine.tidy()
        kept = set(rows(machine.path))
        gone = [seq for seq in heard_at if seq not in kept]
        assert all(passed - heard_at[seq] > (keep - 2) * DAY for seq in gone), action
        assert gone == sorted(heard_at)[: len(gone)]


def test_a_history_without_events_is_not_marked(machine):
    machine.tidy()
    assert noted(machine.path, "SELECT count(*) FROM kept") == 0


def test_a_file_above_its_size_is_cut_back_to_less_and_not_before(tmp_path, caplog):
    """To 95 %, so that not every event deletes one."""
    caplog.set_level(logging.INFO)
    clocks, limit, cut, seq = Clocks(), 6_000_000, 0, 0
    store = make_store(tmp_path / "history.db", max_bytes=limit, utc=clocks.utc, monotonic=clocks.monotonic)

    def size():
        return noted(store.path, "PRAGMA page_count") * noted(store.path, "PRAGMA page_size")

    while not cut:
        store.write([make_message(seq + n) for n in range(1, 501)])
        seq += 500
        clocks.pass_by(HOUR)
        before = size()
        while store.tidy():
            pass
        cut = seq - len(rows(store.path))
        assert (cut > 0) == (before > limit)
    assert size() <= 0.95 * limit
    assert f"history.deleted events={cut} because_of_age=0 because_of_size={cut}" in caplog.text


def test_events_before_a_quiet_time_are_dated_before_it(tmp_path):
    """The second one comes before the next mark is due, and nothing is written after it."""
    machine = Machine(tmp_path / "history.db", keep_days=2)
    machine.hear()
    machine.clocks.pass_by(HOUR / 6)
    machine.hear()
    for _ in range(2 * 24 + 3):
        machine.clocks.pass_by(HOUR)
        machine.tidy()
    assert rows(machine.path) == []


def test_a_limit_that_no_file_can_keep_ends_a_pass_too(tmp_path):
    store = make_store(tmp_path / "history.db", max_bytes=1)
    store.write([make_message(1)])
    assert not all(store.tidy() for _ in range(100))
    assert rows(store.path) == []


def test_a_pass_is_bounded_and_said(machine, caplog):
    caplog.set_level(logging.INFO)
    for _ in range(3):
        machine.hear(count=PASS_ROWS)
        machine.clocks.pass_by(HOUR)
    machine.clocks.pass_by(100 * DAY)
    machine.tidy()
    assert len(rows(machine.path)) == 2 * PASS_ROWS
    assert f"history.deleted events={PASS_ROWS} because_of_age={PASS_ROWS} because_of_size=0" in caplog.text
    machine.clocks.pass_by(HOUR)
    machine.tidy()
    assert len(rows(machine.path)) == PASS_ROWS


def test_a_history_of_an_earlier_version_is_dated_by_its_events(machine):
    """In it are two events of 1970 and one of 2099; its own pauses count, its jumps do not."""
    machine.stop()
    times = [0.0, 10.0, *(T0 - DAY * (100 - n) for n in range(101)), T0 + 73 * YEAR, T0]
    with closing(sqlite3.connect(machine.path)) as file:
        file.execute("DROP TABLE kept")
        file.execute("DELETE FROM meta WHERE key != 'reserved'")
        for n, time in enumerate(times):
            line = make_message(n + 1, start=time).line.decode().rstrip()
            file.execute(
                "INSERT INTO messages (seq, id, start, line) VALUES (?, ?, ?, ?)",
                (n + 1, f"s{n}", time, line),
            )
        file.commit()
    machine.start()
    machine.tidy()
    assert rows(machine.path)[0] == pytest.approx(13, abs=1)
    assert rows(machine.path)[-2:] == [104, 105]


def test_a_history_of_an_earlier_version_may_hold_events_without_a_time(machine):
    machine.hear(count=3)
    machine.stop()
    with closing(sqlite3.connect(machine.path)) as file:
        file.execute("DROP TABLE kept")
        file.execute("DELETE FROM meta WHERE key != 'reserved'")
        file.execute("UPDATE messages SET start = NULL WHERE seq > 1")
        file.commit()
    machine.start()
    machine.hear()
    assert rows(machine.path) == [1, 2, 3, 4]


def test_a_single_event_of_an_earlier_version_is_dated_too(machine):
    machine.hear()
    machine.stop()
    with closing(sqlite3.connect(machine.path)) as file:
        file.execute("DROP TABLE kept")
        file.execute("DELETE FROM meta WHERE key != 'reserved'")
        file.commit()
    machine.start()
    assert noted(machine.path, "SELECT max(seq) FROM kept") == 1


def test_an_event_of_a_wrong_clock_stands_where_it_was_heard(machine):
    machine.hear()
    machine.clocks.step(73 * YEAR)
    machine.hear()
    machine.clocks.step(-73 * YEAR)
    machine.hear()
    assert [message.seq for message in sounds(machine.path, Query())] == [1, 2, 3]
    assert [message.seq for message in sounds(machine.path, Query(limit=2))] == [2, 3]
