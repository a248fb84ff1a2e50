"""Grafana's dashboard of a fleet: its metrics are there, and its queries run in a real PostgreSQL."""

from __future__ import annotations

import json
import re
from contextlib import closing

import pytest

from detector.fleet.collector_metrics import metrics_text
from detector.fleet.event_database import add_events, add_facts, make_tables
from detector.fleet.fleet_collector import CollectorCounts
from detector.fleet.fleet_event import NodeFact, event_of
from detector.fleet.postgres_database import PostgresDatabase
from tests.support import ROOT, postgres
from tests.support.fleet_events import HEARD, PREFIX, RUN, payload, topic

PANELS = json.loads((ROOT / "grafana" / "fleet.json").read_text(encoding="utf-8"))["panels"]
TARGETS = [target for panel in PANELS for target in panel["targets"]]


def test_its_metrics_are_those_of_a_collector():
    text = metrics_text(CollectorCounts())
    asked = {name for target in TARGETS for name in re.findall(r"sound_detector_\w+", target.get("expr", ""))}
    assert asked and all(f"\n{name} " in text for name in asked)


def test_no_panel_covers_another():
    squares = [
        (x, y)
        for panel in PANELS
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(squares) == len(set(squares)) and max(x for x, _ in squares) < 24


@pytest.mark.slow
@pytest.mark.skipif(bool(postgres.why_not()), reason=postgres.why_not())
def test_its_queries_run_and_count_sounds():
    with postgres.Postgres() as server, closing(PostgresDatabase(server.uri)) as database:
        make_tables(database)
        sound = [
            payload(seq, id=f"{RUN}-1", type=kind) for seq, kind in enumerate(("start", "update", "end"), 1)
        ]
        add_events(database, [event_of(topic(), each, prefix=PREFIX) for each in sound], now=100.0)
        stats = '{"level_dbfs": -41.25, "lost_seconds": 0.5, "events_waiting": 0, "version": "1.0"}'
        facts = [NodeFact("hall", "", "availability", "online"), NodeFact("hall", "", "stats", stats)]
        add_facts(database, facts, now=100.0)
        rows = {}
        for panel in PANELS:
            for target in panel["targets"]:
                if "rawSql" in target:
                    sql = re.sub(r"\$__unixEpochFilter\((\w+)\)", r"\1 > 0", target["rawSql"])
                    (rows[panel["title"]],) = database.run(sql)
        assert rows["Sounds"] == (1,)
        assert rows["Sounds an hour"] == (HEARD // 3600 * 3600, "Dog", 1)
        assert rows["Daemons"][3] == 1
