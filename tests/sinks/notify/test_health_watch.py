"""Problems of the program: told when they last, and their end only where they were told."""

from detector.sinks.notify.health_watch import GRACE_SECONDS, HealthWatch


def watch_with_a_problem():
    watch = HealthWatch()
    watch.bad("source", "Mic", "Source lost", "Mic: gone", 0)
    return watch


def test_a_problem_that_is_over_soon_is_not_told():
    watch = watch_with_a_problem()
    assert watch.due(GRACE_SECONDS - 1) == []
    assert watch.good("source", "Mic", "Source is back") == []
    assert watch.due(1000) == []


def test_one_that_lasts_is_told_once_and_so_is_its_end():
    watch = watch_with_a_problem()
    (change,) = watch.due(GRACE_SECONDS)
    assert (change.title, change.text, change.is_over) == ("Source lost", "Mic: gone", False)
    watch.bad("source", "Mic", "Source lost", "Mic: gone", 20)
    assert watch.due(1000) == []
    (change,) = watch.good("source", "Mic", "Source is back")
    assert (change.title, change.text, change.is_over) == ("Source is back", "Mic", True)


def test_another_problem_of_the_same_thing_is_told_anew():
    watch = watch_with_a_problem()
    watch.due(GRACE_SECONDS)
    watch.bad("source", "Mic", "Source silent", "muted?", 20)
    assert [change.title for change in watch.due(20 + GRACE_SECONDS)] == ["Source silent"]


def test_the_end_is_told_also_where_another_problem_came_between():
    """Lost, which was told, then silent for a moment, then well."""
    watch = watch_with_a_problem()
    watch.due(GRACE_SECONDS)
    watch.bad("source", "Mic", "Source silent", "muted?", 20)
    assert len(watch.good("source", "Mic", "Source is back")) == 1
    assert watch.good("source", "Mic", "Source is back") == []


def test_where_the_program_ends_there_is_no_grace():
    assert len(watch_with_a_problem().due(0, grace=0.0)) == 1
