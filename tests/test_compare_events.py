"""Two machines' events of one recording: when they are the same, and what is said where they are not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scripts.compare_events import SCORE_LIMIT, TIME_LIMIT, compare, main

START = {
    "type": "start",
    "label": "Dog",
    "score": 0.9,
    "top_score": 0.9,
    "start_time": "2026-11-20T14:30:00.000Z",
    "end_time": None,
}
END = {**START, "type": "end", "score": 0.1, "end_time": "2026-11-20T14:30:02.000Z"}


def test_the_same_events_are_the_same():
    result = compare([START, END], [START, END])
    assert result.faults == ()
    assert (result.events, result.score, result.seconds) == (2, 0.0, 0.0)


def test_two_recordings_without_events_are_the_same():
    assert compare([], []).faults == ()


@pytest.mark.parametrize("key", ["score", "top_score"])
def test_scores_may_differ_up_to_the_limit(key):
    at_the_limit = compare([START], [{**START, key: 0.9 - SCORE_LIMIT}])
    assert at_the_limit.faults == ()
    assert at_the_limit.score == pytest.approx(SCORE_LIMIT)
    (fault,) = compare([START], [{**START, key: 0.9 - SCORE_LIMIT - 0.001}]).faults
    assert fault == f"start of Dog: {key} 0.9 and 0.879"


@pytest.mark.parametrize(
    "other",
    [
        [],
        [START],
        [START, START],
        [END, START],
        [{**START, "label": "Cat"}, END],
        [START, END, START],
    ],
    ids=["nothing", "no end", "another kind", "another order", "another label", "one more"],
)
def test_messages_are_the_same_ones_in_the_same_order(other):
    (fault,) = compare([START, END], other).faults
    assert fault.startswith("expected start of Dog, end of Dog; found ")


def test_times_may_differ_by_one_step_of_the_windows():
    later = {**END, "end_time": "2026-11-20T14:30:02.240Z"}
    result = compare([END], [later])
    assert result.faults == ()
    assert result.seconds == pytest.approx(TIME_LIMIT)
    assert compare([END], [{**END, "end_time": "2026-11-20T14:30:02.250Z"}]).faults != ()


def test_an_end_that_is_open_on_one_machine_alone_is_a_fault():
    assert compare([END], [{**END, "end_time": None}]).faults != ()


def write(folder: Path, name: str, events: list[dict], scores: list[list[float]]) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    np.savez(folder / f"{name}.scores.npz", scores=np.array(scores, np.float32))


def test_folders_are_compared_file_by_file(tmp_path: Path, capsys):
    here, there = tmp_path / "here", tmp_path / "there"
    write(here, "a", [START, END], [[0.5, 0.25]])
    write(there, "a", [START, {**END, "score": 0.111}], [[0.5, 0.75]])
    write(here, "deeper/b", [], [[0.5]])
    write(there, "deeper/b", [], [[0.5]])
    status = main([str(here), str(there)])
    assert capsys.readouterr().out == (
        "2 recordings, 2 messages: scores of events differ by 0.011 at most, times by 0.00 s, "
        "scores of single windows by 0.5000\n"
    )
    assert status == 0


def test_a_fault_names_its_recording(tmp_path: Path, capsys):
    here, there = tmp_path / "here", tmp_path / "there"
    write(here, "a", [START], [[0.5]])
    write(here, "b", [START], [[0.5]])
    write(there, "a", [{**START, "label": "Cat"}], [[0.5, 0.5]])
    assert main([str(here), str(there)]) == 1
    said = capsys.readouterr().out
    assert "\na: expected start of Dog; found start of Cat\n" in said
    assert f"\nb: not in {there}\n" in said
    assert "scores of single windows by inf" in said


def test_nothing_to_compare_is_no_success(tmp_path: Path, capsys):
    assert main([str(tmp_path), str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"no events in {tmp_path}: it has no file NAME.jsonl\n"
