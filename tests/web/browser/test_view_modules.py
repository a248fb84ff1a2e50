"""Laws of the pure modules of the overview and the settings, run where they run: in a browser."""

from __future__ import annotations

import pytest


@pytest.fixture
def run(serve, parts, visit):
    """`run(path, body)` -> what this body of a function makes of the module at that path, `m`."""
    tab = visit(serve(parts))
    return lambda path, body: tab.evaluate(f"async () => {{ const m = await import('/{path}'); {body} }}")


def test_levels_have_gaps_their_offset_and_means_by_energy(run):
    made = run(
        "views/overview/level_series.js",
        """
        const levels = {
          minutes: [0, 60, 3600], leq: [-10, null, -20], max: [-5, null, -8],
          l10: [0, null, 0], l90: [0, null, 0],
        };
        const made = m.series({ ...levels, step: 60, offset_db: 100 });
        return {
          minutes: made.minutes, leq: made.leq, hours: m.byHour(made), loudest: m.loudest(made),
          mean: m.energyMean([0, 0, null, 10]), none: m.energyMean([null]),
        };
        """,
    )
    assert made["minutes"] == [0, 60, 120, 3600] and made["leq"] == [90, None, None, 80]
    assert [(one["hour"], one["mean"], one["max"]) for one in made["hours"]] == [(3600, 80, 92), (0, 90, 95)]
    assert (made["loudest"], round(made["mean"], 2), made["none"]) == (0, 6.02, None)


def test_what_is_shown_of_a_period_stays_within_it(run):
    moved = run(
        "views/overview/level_series.js",
        """
        const whole = [0, 86400];
        return [
          ["earlier", whole], ["later", [43200, 86400]], ["closer", whole],
          ["wider", whole], ["wider", [0, 7200]], ["closer", [0, 300]],
        ].map(([way, shown]) => m.moved(way, shown, whole));
        """,
    )
    assert moved == [[0, 86400], [43200, 86400], [21600, 64800], [0, 86400], [0, 14400], [0, 300]]


def test_rare_sounds_are_seen_beside_frequent_ones(run):
    steps = run(
        "views/overview/heatmap.js", "return [0, 1, 60, 250, 1000].map((count) => m.step(count, 1000));"
    )
    assert steps == [0, 1, 1, 2, 4]


def test_labels_that_begin_with_what_was_typed_come_first_and_groups_before_labels(run):
    found = run(
        "views/settings/label_picker.js",
        """
        const all = { labels: ["Hot dog", "Dog", "Dog bark", "Cat"], groups: { dog: ["Dog"] } };
        return m.matches(all, " DOG", ["Dog bark"]).map(({ name }) => name);
        """,
    )
    assert found == ["dog", "Dog", "Hot dog"]


def test_a_draft_holds_only_what_differs_from_the_file(run):
    made = run(
        "views/settings/draft.js",
        """
        const label = "Dishes, pots. and pans";
        const labels = { [label]: { threshold_on: 0.3 } };
        const draft = new m.Draft({ values: { a: 1, "b.c": null }, defaults: { "b.c": [] }, labels });
        const key = m.keyOfLabel(label, "threshold_on");
        draft.set("a", 2);
        draft.set("b.c", []);
        draft.set(key, 0.3);
        const first = draft.toJSON();
        draft.set("a", 1);
        draft.set(key, 0.5);
        draft.blame([`file.yaml:3: ${key}: too high`, "b.cd: wrong"]);
        return {
          first, second: draft.toJSON(), own: m.labelKey(key),
          faults: draft.faultsOf(key), others: draft.otherFaults, none: draft.faultsOf("b.c"),
        };
        """,
    )
    assert made["first"] == {"a": 2}
    assert made["second"] == {"events.labels.Dishes, pots. and pans.threshold_on": 0.5}
    assert made["own"] == {"label": "Dishes, pots. and pans", "name": "threshold_on"}
    assert (made["faults"], made["others"], made["none"]) == (["too high"], ["b.cd: wrong"], [])
