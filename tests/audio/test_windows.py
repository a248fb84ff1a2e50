"""Laws of the window grid, drawn: frames above, `O` while the gate is open, the windows' ends below."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.audio.windows import WindowGrid
from detector.records import Span


def ends(gate, *, frame=1, hop, window=10, preroll=0, grid=None):
    """`^` under the sample a window ends with, at the frame that named it; `2` where one frame named two.

    The gate is open at `O` and at `s`, where nothing new sounds.
    """
    grid = grid or WindowGrid(window=window, hop=hop, preroll=preroll)
    line = ""
    for i, state in enumerate(gate):
        span = Span(i * frame, (i + 1) * frame)
        due = grid.push(span, is_open=state in "Os", is_steady=state == "s")
        assert all(span.length == window for span in due)
        line += " ^"[len(due)] if len(due) < 2 else str(len(due))
    return line.rstrip()


def stops(gate, *, frame, hop, window=10, preroll=0):
    grid = WindowGrid(window=window, hop=hop, preroll=preroll)
    named = [
        grid.push(Span(i * frame, (i + 1) * frame), is_open=state == "O") for i, state in enumerate(gate)
    ]
    return [span.stop for due in named for span in due]


def test_an_open_gate_gets_a_window_each_hop():
    assert ends("OOOOOOOOOOOO", hop=3) == (
        #        ---
        "  ^  ^  ^  ^"
    )


def test_a_closed_gate_gets_none():
    assert ends("------------", hop=3) == ""


def test_ends_do_not_depend_on_when_the_gate_opened():
    assert ends("-----OOOOO-OOO", hop=3) == (
        #        -----OOOOO-OOO
        "     ^  ^  ^"
    )


def test_a_thinned_grid_names_every_second_window_and_counts_the_others():
    """On the same grid, so that nothing moves when all are back."""
    grid = WindowGrid(window=10, hop=2, steady_hop=4)
    assert ends("OOOO", hop=2, grid=grid) == " ^ ^"
    grid.thin(2)
    spans = [grid.push(Span(i, i + 1), is_open=True) for i in range(4, 12)]
    assert [span.stop for due in spans for span in due] == [8, 12]
    assert grid.left_out == 2
    grid.thin(1)
    spans = [grid.push(Span(i, i + 1), is_open=True) for i in range(12, 16)]
    assert [span.stop for due in spans for span in due] == [14, 16]
    assert grid.left_out == 2


def test_windows_that_are_rare_anyway_are_not_counted_as_left_out():
    grid = WindowGrid(window=10, hop=2, steady_hop=4)
    grid.thin(2)
    assert ends("ssssssss", hop=2, grid=grid) == "   ^   ^"
    assert grid.left_out == 0


@pytest.mark.parametrize(("hop", "least"), [(1, 4), (3, 9), (6, 6), (20, 20)])
def test_a_thinned_grid_leaves_no_sound_out(hop, least):
    grid = WindowGrid(window=10, hop=hop)
    assert grid.thin(4) == least


def test_where_nothing_new_sounds_windows_are_a_steady_hop_apart():
    """On the same grid: what was classified before and after does not move it."""
    grid = WindowGrid(window=10, hop=2, steady_hop=6)
    assert ends("OOOOsssssssssssssOOOO", hop=2, grid=grid) == (
        #        OOOOsssssssssssssOOOO
        " ^ ^ ^     ^     ^ ^"
    )


@pytest.mark.parametrize("steady_hop", [0, 1, 3])
def test_the_steady_hop_is_a_multiple_of_the_hop(steady_hop):
    with pytest.raises(ValueError, match="multiple of the hop 2"):
        WindowGrid(window=10, hop=2, steady_hop=steady_hop)


def test_preroll_names_windows_that_ended_before_the_gate_opened():
    """The windows that end with samples 5 and 8 (and 11, the newest) are all due at once."""
    assert ends("-----------OOO", hop=3, preroll=7) == "           3"
    assert stops("-----------OOO", frame=1, hop=3, preroll=7) == [6, 9, 12]
    assert stops("-----------OOO", frame=1, hop=3, preroll=2) == [12]


def test_preroll_does_not_name_a_window_twice():
    assert stops("OOOOOO--OOO", frame=1, hop=3, preroll=9) == [3, 6, 9]


def test_preroll_does_not_reach_before_the_stream():
    assert stops("--OO", frame=1, hop=1, preroll=100) == [1, 2, 3, 4]


def test_preroll_does_not_reach_across_a_gap():
    grid = WindowGrid(window=10, hop=3, preroll=100)
    ends("---------", hop=3, grid=grid)
    grid.gap(20)
    assert [s.stop for s in grid.push(Span(20, 28), is_open=True)] == [21, 24, 27]


def test_a_hop_need_not_be_a_multiple_of_the_frame():
    """Frames of 4, a window every 6 samples: each is named by the frame that holds its last sample."""
    assert stops("OOOOOO", frame=4, hop=6) == [6, 12, 18, 24]
    assert ends("OOOOOO", frame=4, hop=6) == " ^^ ^^"


def test_a_hop_may_be_shorter_than_the_frame():
    assert stops("OOO", frame=4, hop=3) == [3, 6, 9, 12]


def test_a_hop_may_be_longer_than_the_window():
    assert stops("O" * 40, frame=1, hop=15, window=10) == [15, 30]


def test_windows_reach_back_even_before_the_stream():
    grid = WindowGrid(window=10, hop=4)
    assert grid.push(Span(0, 4), is_open=True) == [Span(-6, 4)]


def test_the_end_of_the_stream_gets_its_own_window():
    grid = WindowGrid(window=10, hop=4)
    ends("OOOOOO", hop=4, grid=grid)
    assert grid.last(6) == [Span(-4, 6)]
    assert grid.last(6) == []


@pytest.mark.parametrize("gate", ["OOOOOOOO", "OOOOOO--", "--------"])
def test_no_window_at_the_end_when_it_was_scored_or_the_gate_is_closed(gate):
    grid = WindowGrid(window=10, hop=4)
    ends(gate, hop=4, grid=grid)
    assert grid.last(8) == []


@pytest.mark.parametrize(("window", "hop", "preroll"), [(0, 1, 0), (1, 0, 0), (1, 1, -1)])
def test_lengths_are_checked(window, hop, preroll):
    with pytest.raises(ValueError, match="must be positive"):
        WindowGrid(window=window, hop=hop, preroll=preroll)


@given(
    st.lists(st.booleans(), max_size=60),
    st.integers(1, 7),
    st.integers(1, 12),
    st.integers(0, 30),
)
def test_ends_are_grid_points_in_order_and_none_is_missed_while_open(gate, frame, hop, preroll):
    named = stops(["O" if is_open else "-" for is_open in gate], frame=frame, hop=hop, preroll=preroll)
    assert named == sorted(set(named))
    assert all(stop % hop == 0 for stop in named)
    while_open = {
        stop
        for i, is_open in enumerate(gate)
        if is_open
        for stop in range(i * frame + 1, (i + 1) * frame + 1)
        if stop % hop == 0
    }
    assert while_open <= set(named)
    assert while_open == set(named) or preroll
