"""Problems of the program: told when they last, and their end only where they were told."""

from detector.sinks.notify.health_watch import GRACE_SECONDS, HealthWatch


def watch_with_a_problem():
    watch = HealthWatch()
    watch.bad("microphone", "Mic", "Microphone lost", "Mic: gone", 0)
    return watch


def test_a_problem_that_is_over_soon_is_not_told():
    watch = watch_with_a_problem()
    assert watch.due(GRACE_SECONDS - 1) == []
    assert watch.good("microphone", "Mic", "Microphone is back") == []
    assert watch.due(1000) == []


def test_one_that_lasts_is_told_once_and_so_is_its_end():
    watch = watch_with_a_problem()
    (change,) = watch.due(GRACE_SECONDS)
    assert (change.title, change.text, change.is_over) == ("Microphone lost", "Mic: gone", False)
    watch.bad("microphone", "Mic", "Microphone lost", "Mic: gone", 20)
    assert watch.due(1000) == []
    (change,) = watch.good("microphone", "Mic", "Microphone is back")
    assert (change.title, change.text, change.is_over) == ("Microphone is back", "Mic", True)


def test_another_problem_of_the_same_thing_is_told_anew():
    watch = watch_with_a_problem()
    watch.due(GRACE_SECONDS)
    watch.bad("microphone", "Mic", "Microphone silent", "muted?", 20)
    assert [change.title for change in watch.due(20 + GRACE_SECONDS)] == ["Microphone silent"]


def test_where_the_program_ends_there_is_no_grace():
    assert len(watch_with_a_problem().due(0, grace=0.0)) == 1
