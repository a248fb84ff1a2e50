"""Verdicts in the real program: over the socket and without a daemon, heeded at once and after a restart."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.program.test_heads_program import loud, models, silence
from tests.support.program import ALARM, NO_PATTERNS, Program, alarm, speech
from tests.support.small_heads import write_head

__all__ = ["models"]

pytestmark = pytest.mark.slow

Run = Callable[..., Program]
HISTORY = "history.db"
KEEPING = ("--set", f"history.path={HISTORY}", "--set", "verdicts.keep=50", *NO_PATTERNS)
SOCKET = "unix://events.sock"


def rows(program: Program) -> list[dict[str, Any]]:
    return [json.loads(line) for line in program.out.seen]


def labels(run: Run, *flags: str) -> list[str]:
    return [row["label"] for row in rows(run("history", "--file", HISTORY, "--format", "json", *flags))]


@pytest.mark.usefixtures("model")
def test_an_alarm_that_was_wrong_is_not_told_again_and_the_rest_is(start: Run, run: Run) -> None:
    program = start("--input", "-", "--sink", "stdout", "--sink", f"socket:{SOCKET}", *KEEPING)
    program.feed(np.concatenate([speech(), alarm(), silence(4)]))
    heard = program.event("end", ALARM)
    given = run("verdict", heard["id"], "wrong", SOCKET, "--json")
    assert (given.status, rows(given)[0]["label"], rows(given)[0]["said"]) == (0, ALARM, "wrong")
    program.feed(np.concatenate([alarm(), silence(4), speech(), silence(4)]))
    assert program.end() == 0
    starts = [event["label"] for event in map(json.loads, program.out.seen) if event["type"] == "start"]
    assert starts.count(ALARM) == 1 and starts.count("Speech") >= 2
    assert labels(run, "--vetoed") == [ALARM]
    assert labels(run).count(ALARM) == 1

    program = start("--input", "-", "--sink", "stdout", *KEEPING)
    program.feed(np.concatenate([alarm(), silence(4), speech(), silence(4)]))
    assert program.end() == 0
    assert ALARM not in {json.loads(line)["label"] for line in program.out.seen}

    report = run("verdicts", "report", "--file", HISTORY, "--json")
    (row,) = rows(report)
    assert (row["label"], row["heard"], row["told"], row["vetoed"], row["wrong"]) == (ALARM, 3, 1, 2, 1)
    forgotten = run("verdicts", "forget", "all", "--file", HISTORY)
    assert (forgotten.status, forgotten.out.seen) == (0, ["1 verdict taken back"])
    program = start("--input", "-", "--sink", "stdout", *KEEPING)
    program.feed(np.concatenate([alarm(), silence(4)]))
    assert program.event("start", ALARM)
    assert program.end() == 0


def test_a_label_of_a_head_is_renamed_and_a_hang_up_heeds_what_was_written_meanwhile(
    start: Run, run: Run, models: Path
) -> None:
    write_head(models)
    program = start(
        *("--model", "ear+doorbell", "--input", "-", "--gate", "off", "--no-gain", "--preset", "alert"),
        *("--sink", "stdout", "--sink", f"socket:{SOCKET}", *KEEPING),
    )
    program.feed(np.concatenate([loud(1.5), silence(4)]))
    dog = program.event("end", "Dog")
    assert run("verdict", dog["id"], "Loud", SOCKET).status == 0
    program.feed(np.concatenate([loud(1.5), silence(4)]))
    renamed = json.loads(program.out.wait(lambda line: '"verdict":' in line))
    assert renamed["verdict"] == {"heard": "Dog", "verdicts": 1, "nearest": dog["id"]}
    assert (renamed["label"], renamed["alternatives"][0]["label"]) == ("Loud", "Dog")

    written = run("verdict", dog["id"], "wrong", "--file", HISTORY)
    assert written.status == 0 and "next start or reload" in written.err.seen[0]
    program.send(signal.SIGHUP)
    program.says("daemon.reloaded")
    assert run("verdict", "nobody", "wrong", SOCKET).status == 1  # answered behind the reload
    program.feed(np.concatenate([loud(1.5), silence(4)]))
    assert program.end() == 0
    starts = [event for event in map(json.loads, program.out.seen) if event["type"] == "start"]
    assert [event["label"] for event in starts if event["label"] == "Dog" or "verdict" in event] == [
        "Dog",
        "Loud",
    ]


def test_what_cannot_be_is_one_line(start: Run, run: Run, models: Path) -> None:
    program = start(
        *("--model", "ear", "--input", "-", "--gate", "off", "--no-gain", "--preset", "alert"),
        *("--sink", "stdout", "--sink", f"socket:{SOCKET}", "--sink", "socket:tcp://127.0.0.1:0", *KEEPING),
    )
    program.feed(np.concatenate([loud(1.5), silence(4)]))
    program.event("end", "Loud")
    tcp = program.says("uri=tcp://").rpartition("uri=")[2]
    for arguments, words in (
        (("verdict", "nobody", "wrong", SOCKET), "there is no event 'nobody'"),
        (("verdict", "last", "Duck", SOCKET), "expected right, wrong or a label of the model, got 'Duck'"),
        (("verdict", "last", "wrong", tcp), "this socket takes none"),
        (("verdicts", "forget", "all", SOCKET), "there is no verdict on 'all'"),
        (("verdict", "last", "wrong", "unix://gone.sock"), "no daemon answers"),
        (("verdict", "last", "wrong", "--file", "gone.db"), "there is no history at gone.db"),
    ):
        failed = run(*arguments)
        assert failed.status == 1
        assert len(failed.err.seen) == 1 and words in failed.err.seen[0]
    program.send(signal.SIGTERM)
    assert program.process.wait(30) == 0


def test_without_a_history_there_are_none(start: Run, run: Run, models: Path) -> None:
    program = start(
        *("--model", "ear", "--input", "-", "--gate", "off", "--no-gain", "--preset", "alert"),
        *("--sink", "stdout", "--sink", f"socket:{SOCKET}", "--set", "history.enabled=false"),
    )
    program.feed(np.concatenate([loud(1.5), silence(4)]))
    program.event("end", "Loud")
    failed = run("verdict", "last", "wrong", SOCKET)
    assert failed.status == 1 and "keeps no history" in failed.err.seen[0]
    assert program.end() == 0
