"""Figures become text without a change of meaning."""

from benchmarks.support.report import Target, middle, table, with_kept_sections


def test_a_target_says_whether_it_was_met_and_by_how_much() -> None:
    assert Target("memory", 70, "MB", 63.0).verdict() == "met, 10% below"
    assert Target("memory", 70, "MB", 70.0).verdict() == "met, 0% below"
    assert Target("memory", 70, "MB", 77.0).verdict() == "**missed**, 10% above"


def test_what_could_not_be_measured_is_neither_met_nor_missed() -> None:
    assert Target("memory", 70, "MB", None).row() == ["memory", "70 MB", "not measured", "–"]


def test_a_table_has_a_rule_under_its_head() -> None:
    assert table([["a", "b"], ["1", "2"]]) == "| a | b |\n|---|---|\n| 1 | 2 |\n"


def test_the_middle_is_the_median_and_the_least() -> None:
    assert middle([3.0, 1.0, 2.0]) == "2.0 (1.0)"


def test_sections_that_other_commands_measured_are_kept() -> None:
    before = "# T\n\nold\n\n## A\n\nold\n\n## Own\n\n| 1 |\n\n## Last\n\nold\n"
    text = "# T\n\nnew\n\n## A\n\nnew\n\n## Last\n\nnew\n"
    kept = "# T\n\nnew\n\n## A\n\nnew\n\n## Own\n\n| 1 |\n\n## Last\n\nnew\n"
    assert with_kept_sections(text, before) == kept
    assert with_kept_sections(text, "") == text
    assert with_kept_sections(text, text) == text
