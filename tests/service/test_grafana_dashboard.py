"""The Grafana dashboard shows numbers that the daemon has, and fits a screen."""

from __future__ import annotations

import json
import re
from itertools import combinations

import pytest

from detector.service.metrics_text import COUNTERS, GAUGES, SOURCE_COUNTERS, SOURCE_GAUGES, prometheus_text
from detector.sinks.mqtt.broker_counts import BrokerCounts
from detector.wire.message import ReportBody
from tests.support import ROOT

DASHBOARD = json.loads((ROOT / "grafana" / "sound-detector.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]
QUERIES = [each["query"]["query"] for each in DASHBOARD["templating"]["list"] if each["type"] == "query"]
ALL = ReportBody(
    {
        **dict.fromkeys([*GAUGES, *COUNTERS], 1.5),
        "state": "listening",
        "model": "yamnet",
        "version": "0.1.0",
        "sinks": [{"name": "stdout", "written": 3, "dropped": 0, "failed": 0}],
        "sources": [
            {"name": "porch", "state": "listening", **dict.fromkeys([*SOURCE_GAUGES, *SOURCE_COUNTERS], 1.5)}
        ],
        "notify_rules": [dict.fromkeys(("rule", "matched", "sent", "digested", "held", "dropped"), 1)],
        "notify_targets": [dict.fromkeys(("name", "sent", "failed", "expired", "dropped", "retries"), 1)],
        "brokers": [BrokerCounts("mqtt://hub:1883").report],
    }
)
"""A report of a daemon that has everything."""
LABELS = re.compile(r'(\w+)="')


def exported() -> dict[str, set[str]]:
    """Metric -> its labels, with those that Prometheus adds."""
    found = {}
    for line in prometheus_text(ALL).splitlines():
        if not line.startswith("#"):
            found[re.split(r"[ {]", line)[0]] = {*LABELS.findall(line), "instance"}
    return found


@pytest.mark.parametrize("text", [*EXPRESSIONS, *QUERIES])
def test_every_metric_that_it_names_is_one_that_the_daemon_has(text):
    named = re.findall(r"sound_detector_\w+", text)
    assert named and {*named} <= exported().keys()


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_filters_and_legends_use_labels_that_the_metric_has(panel):
    for target in panel["targets"]:
        for metric, filters in re.findall(r"(sound_detector_\w+)(\{[^}]*\})?", target["expr"]):
            labels = exported()[metric]
            assert {*re.findall(r"(\w+)=~", filters)} <= labels
            assert {*re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])} <= labels


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_counters_are_shown_by_their_growth_and_gauges_as_they_are(expression):
    for metric in re.findall(r"sound_detector_\w+", expression):
        grows = re.search(rf"(rate|increase)\({metric}\{{[^}}]*\}}\[", expression)
        assert bool(grows) == metric.endswith("_total")


def test_panels_have_numbers_of_their_own_and_do_not_overlap():
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len({*numbers}) == len(numbers)
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, two in combinations(places, 2):
        beside = one["x"] + one["w"] <= two["x"] or two["x"] + two["w"] <= one["x"]
        below = one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
        assert beside or below


def test_it_asks_for_the_data_source_and_says_what_each_panel_shows():
    sources = {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}
    assert sources == {"${datasource}"}
    assert DASHBOARD["templating"]["list"][0]["type"] == "datasource"
    assert all(panel["title"] and panel["description"] for panel in PANELS)
