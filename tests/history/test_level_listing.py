"""`sound-detector history --levels`: a row for each minute."""

import csv
import io
import json
from datetime import UTC

import pytest

from detector.audio.level_minute import LevelMinute
from detector.cli.main import main
from detector.history.level_listing import LEVEL_COLUMNS, levels_command
from tests.support.history_stores import T0, make_store

MINUTE = int(T0 // 60)


@pytest.fixture
def path(tmp_path):
    """One minute that was heard, and one that was lost; the daemon runs."""
    path = tmp_path / "history.db"
    store = make_store(path)
    heard = LevelMinute("Mic", MINUTE, 59.94, 0.0, 59.94e-6, 1e-4, {70: 1900, 150: 98})
    store.write((), [heard, LevelMinute("M\x1b[2J", MINUTE + 1, lost_seconds=60.0)])
    yield path
    store.close()


def show(path, format, **query):
    out, err = io.StringIO(), io.StringIO()
    assert levels_command([path], format=format, stdout=out, stderr=err, zone=UTC, **query) == 0
    return out.getvalue(), err.getvalue()


def test_the_table_is_in_local_time_and_harmless(path):
    out, err = show(path, "table")
    assert out.splitlines() == [
        "minute              LAeq     max     L10     L90  heard   lost  source",
        "2026-08-01 14:03   -60.0   -40.0   -84.8   -84.8   59.9    0.0  Mic",
        "2026-08-01 14:04       -       -       -       -    0.0   60.0  M\\x1b[2J",
    ]
    assert err == ""


def test_json_and_csv_hold_the_same(path):
    objects = [json.loads(line) for line in show(path, "json")[0].splitlines()]
    assert objects[0] == {
        "time": "2026-08-01T14:03:00.000Z",
        "source": "Mic",
        "laeq_dbfs": -60.0,
        "max_dbfs": -40.0,
        "l10_dbfs": -84.8,
        "l90_dbfs": -84.8,
        "heard_seconds": 59.9,
        "lost_seconds": 0.0,
    }
    assert objects[1]["laeq_dbfs"] is None
    table = list(csv.reader(io.StringIO(show(path, "csv")[0])))
    assert table[0] == list(LEVEL_COLUMNS)
    assert table[1:] == [["" if v is None else str(v) for v in each.values()] for each in objects]


def test_a_limit_takes_the_newest_and_nothing_found_is_said(path):
    assert len(show(path, "json", limit=1)[0].splitlines()) == 1
    assert show(path, "table", since=T0 + 3600) == ("", "no sound levels found\n")


def test_the_command_prints_them(path, capsys):
    assert main(["history", "--levels", "--json", "--file", str(path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    "flags", [["--label", "Dog"], ["--min-score", "0.5"], ["--ids"], ["--vetoed"], ["--since", "seq:3"]]
)
def test_what_chooses_events_is_refused(path, flags, capsys):
    assert main(["history", "--levels", "--file", str(path), *flags]) == 2
    assert "--levels shows minutes, not events" in capsys.readouterr().err
