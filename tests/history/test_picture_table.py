"""Pictures in the history's file: the newest ones, gone with their events, read without numpy."""

import sqlite3
import struct
import subprocess
import sys
import tracemalloc
import zlib
from contextlib import closing

import pytest

from detector.errors import HistoryError
from detector.history.journal import Journal
from detector.history.migrations import MIGRATIONS
from detector.history.picture_png import picture_png
from detector.history.picture_table import PICTURE_BYTES, EventPicture, event_picture, pictured
from detector.history.sequence_numbers import SequenceNumbers
from tests.support.fakes import wait_until
from tests.support.history_stores import DAY, T0, Clocks, make_message, make_store, rows

pytestmark = pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")


def make_picture(id="run-1", width=7, height=4, first=100):
    return EventPicture(id, bytes((first + n) % 256 for n in range(width * height)), width, height)


def many(*numbers):
    return [make_picture(f"run-{n}") for n in numbers]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.db"


def kept(path):
    with closing(sqlite3.connect(path)) as file:
        return [id for (id,) in file.execute("SELECT id FROM pictures ORDER BY number")]


def test_what_is_written_is_read_and_a_picture_is_known_by_its_event(path):
    store = make_store(path, pictures=10)
    store.write([make_message(1)], (), [make_picture(), make_picture("run-2", 99, 64)])
    assert event_picture(path, "run-1") == make_picture()
    assert event_picture(path, "run-2") == make_picture("run-2", 99, 64)
    assert event_picture(path, "run-3") is None
    assert pictured(path, [f"run-{n}" for n in range(2000)]) == {"run-1", "run-2"}
    store.write((), (), [make_picture(first=0)])
    assert event_picture(path, "run-1") == make_picture(first=0)
    assert len(kept(path)) == 2


def test_the_oldest_go(path):
    store = make_store(path, pictures=3)
    store.write((), (), many(1, 2, 3, 4, 5))
    store.write((), (), many(6))
    assert kept(path) == ["run-4", "run-5", "run-6"]
    store.close()
    store = make_store(path, pictures=1)
    store.write((), (), many(7))
    assert kept(path) == ["run-7"]


def test_none_are_kept_where_none_are_wanted_any_more(path):
    store = make_store(path, pictures=500)
    store.write((), (), many(*range(450)))
    store.close()
    store = make_store(path, pictures=0)
    store.write(())
    while store.tidy():
        pass
    assert kept(path) == []


def test_a_picture_goes_with_its_event(path):
    clocks = Clocks()
    store = make_store(path, pictures=9, keep_days=1, utc=clocks.utc, monotonic=clocks.monotonic)
    store.write([make_message(1, id="a"), make_message(2, "end", id="a")], (), [make_picture("a")])
    clocks.pass_by(2 * DAY)
    store.write([make_message(3, id="b")], (), [make_picture("b")])
    while store.tidy():
        pass
    assert rows(path, "id") == ["b"]
    assert kept(path) == ["b"]


def test_pictures_take_a_fifth_of_a_small_file_at_most_and_events_the_rest(path):
    store = make_store(path, pictures=2000, max_bytes=10 * PICTURE_BYTES)
    store.write((), (), many(*range(30)))
    assert kept(path) == [f"run-{n}" for n in range(20, 30)]


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_an_earlier_version_has_no_pictures_and_gets_some(path, version):
    with closing(sqlite3.connect(path)) as file:
        for number in range(version):
            file.executescript(";".join([*MIGRATIONS[number], f"PRAGMA user_version = {number + 1}"]))
    assert event_picture(path, "run-1") is None
    assert pictured(path, ["run-1"]) == set()
    make_store(path, pictures=9).write([make_message(1)], (), [make_picture()])
    assert event_picture(path, "run-1") == make_picture()


@pytest.mark.parametrize(
    "change",
    [
        "pixels = x'00'",
        "pixels = 'text'",
        "width = 1000000",
        "width = 8",
        "width = -7, height = -4",
        "height = 'tall'",
        "width = 0, height = 0",
    ],
)
def test_a_damaged_picture_is_one_line(path, change):
    make_store(path, pictures=9).write((), (), [make_picture()])
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"UPDATE pictures SET {change}")  # noqa: S608
        file.commit()
    with pytest.raises(HistoryError, match=r"cannot be read: a picture is damaged$"):
        event_picture(path, "run-1")


def test_a_picture_that_unpacks_to_too_much_is_refused(path):
    make_store(path, pictures=9).write((), (), [make_picture()])
    with closing(sqlite3.connect(path)) as file:
        file.execute("UPDATE pictures SET pixels = ?", (zlib.compress(bytes(20_000_000)),))
        file.commit()
    tracemalloc.start()
    try:
        with pytest.raises(HistoryError):
            event_picture(path, "run-1")
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


class FullDisk:
    """A store that cannot write pictures."""

    def __init__(self):
        self.messages, self.attempts = [], 0

    def write(self, messages, minutes=(), pictures=()):
        if pictures:
            self.attempts += 1
            raise HistoryError("no space left")
        self.messages += messages

    def tidy(self):
        return False

    def close(self):
        pass


def make_journal(store):
    journal = Journal(store, SequenceNumbers(utc=lambda: T0))
    journal.start(lambda message: None)
    return journal


def test_the_journal_writes_a_picture_soon_and_those_that_wait_at_the_end(path):
    journal = make_journal(make_store(path, pictures=99))
    journal.keep_picture(make_picture())
    wait_until(lambda: event_picture(path, "run-1"))
    for picture in many(*range(2, 60)):
        journal.keep_picture(picture)
    journal.close(30.0)
    assert len(kept(path)) == 59


def test_pictures_that_cannot_be_written_cost_no_event():
    disk = FullDisk()
    journal = make_journal(disk)
    journal.keep_picture(make_picture())
    wait_until(lambda: disk.attempts)
    journal.put(make_message(journal.next_seq()))
    journal.close(30.0)
    assert len(disk.messages) == 1
    assert journal.stats().working


def unpacked(png):
    """Width, height and rows of a PNG file, read by the letter of the format."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + data)
        chunks[name] = data
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, *form = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert form == [8, 0, 0, 0, 0]  # 8 bits of grey
    lines = zlib.decompress(chunks[b"IDAT"])
    assert len(lines) == height * (width + 1)
    assert set(lines[:: width + 1]) == {0}
    return width, height, [lines[n * (width + 1) + 1 :][:width] for n in range(height)]


def test_a_png_has_the_pixels_in_their_places_from_the_loudest_down():
    picture = EventPicture("a", bytes([0, 50, 100, 200, 150, 125]), 3, 2)
    assert unpacked(picture_png(picture)) == (3, 2, [bytes([0, 0, 0]), bytes([255, 127, 63])])


@pytest.mark.parametrize("value", [0, 1, 255])
def test_a_picture_of_one_value_is_a_png_too(value):
    width, height, lines = unpacked(picture_png(EventPicture("a", bytes([value]) * 6, 3, 2)))
    assert (width, height, len(set(lines))) == (3, 2, 1)


def test_reading_needs_no_numpy():
    """So that a small program can read it."""
    script = (
        "import sys; import detector.history.picture_png, detector.history.picture_table; "
        "sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
