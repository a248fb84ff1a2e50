"""Verdicts as people and programs read them."""

from __future__ import annotations

import io
import json
from datetime import UTC
from pathlib import Path

import numpy as np

from detector.history.archive import Query
from detector.history.command import history_command
from detector.history.verdict_effects import LabelReport
from detector.history.verdict_file import KeptMessage, VerdictFile
from detector.history.verdict_listing import export_lines, report_rows, verdict_rows
from detector.verdicts.event_verdict import EventVerdict
from detector.wire.encoding import encode
from detector.wire.message import VetoBody, event_of
from tests.support.history_stores import T0, make_message, make_store

SOUND = np.float32([0.5, 1 / 3])
GIVEN = [
    EventVerdict("run-1", "Dog", "wrong", T0, SOUND, "yamnet", 0.75),
    EventVerdict("run-2", "犬\x1b[31m", "Cough", T0 + 60, SOUND, "yamnet"),
]


def test_rows_are_aligned_and_harmless_to_a_terminal() -> None:
    assert verdict_rows(GIVEN, zone=UTC) == [
        "2026-08-01 14:03:21  Dog         wrong  run-1",
        "2026-08-01 14:04:21  犬\\x1b[31m  Cough  run-2",
    ]
    assert verdict_rows([]) == []


def test_a_time_that_is_none_is_a_dash() -> None:
    (row,) = verdict_rows([EventVerdict("run-1", "Dog", "wrong", 1e30, SOUND, "yamnet")])
    assert row.startswith("-  Dog")


def test_an_export_has_the_embeddings_and_a_list_has_not() -> None:
    exported = [json.loads(line) for line in export_lines(GIVEN, embeddings=True)]
    assert exported[0] == {
        "id": "run-1",
        "label": "Dog",
        "said": "wrong",
        "time": "2026-08-01T14:03:21.500Z",
        "score": 0.75,
        "network": "yamnet",
        "embedding": [0.5, 0.333333],
    }
    assert "embedding" not in json.loads(export_lines(GIVEN)[0])


def test_a_report_is_a_table_or_json() -> None:
    report = [LabelReport("Dog", heard=10, vetoed=2, renamed=1, right=0, wrong=3, other=1)]
    assert report_rows(report, as_json=False) == [
        "label  heard  told  vetoed  renamed  right  wrong  other",
        "Dog       10     7       2        1      0      3      1",
    ]
    (line,) = report_rows(report, as_json=True)
    assert json.loads(line)["told"] == 7
    assert report_rows([], as_json=False) == []


def test_the_history_shows_ids_and_vetoed_sounds(tmp_path: Path) -> None:
    store = make_store(tmp_path / "history.db")
    store.write([make_message(1)])
    vetoed = encode(event_of(make_message(1, id="run-2", label="Cat", vetoed=VetoBody(1, "run-1"))))
    VerdictFile(store.path, keep=10).keep_events([KeptMessage(vetoed, None)])
    store.close()

    def shown(**flags: bool) -> str:
        out = io.StringIO()
        history_command([store.path], Query(), stdout=out, stderr=io.StringIO(), zone=UTC, **flags)
        return out.getvalue()

    plain = "2026-08-01 14:03:21  Dog  >1.0 s  0.90  -23.5 dBFS  Mic"
    assert shown() == f"{plain}\n"
    assert shown(ids=True) == f"{plain}  run-1\n"
    assert shown(vetoed=True) == f"{plain.replace('Dog', 'Cat')}  run-2\n"
