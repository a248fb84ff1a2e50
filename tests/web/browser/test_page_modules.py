"""Laws of the page's own modules, looked at where they run: in a browser."""

from __future__ import annotations

import itertools

import pytest


@pytest.fixture
def run(show):
    """`run("live/columns.js", "({Columns}) => ...")` -> what this function makes of the module."""
    page = show("#/feed")

    def run(module, function, arg=None):
        script = f"async ([path, arg]) => ({function})(await import(path), arg)"
        return page.evaluate(script, [f"/{module}", arg])

    return run


@pytest.mark.parametrize(("dark", "order"), [(True, 1), (False, -1)])
def test_louder_is_always_brighter_on_a_dark_page_and_darker_on_a_light_one(run, dark, order):
    colours = run("palette.js", "({palette}, dark) => [...palette(dark)]", dark)
    lightness = [
        0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
        for red, green, blue in zip(colours[0::4], colours[1::4], colours[2::4], strict=True)
    ]
    steps = [order * (after - before) for before, after in itertools.pairwise(lightness)]
    assert len(steps) == 255
    assert min(steps) > -1
    assert sum(steps) > 0.8 * 255**2.2


COLUMNS = """({Columns}, frames) => {
  const columns = new Columns(2, 20, 10);
  const first = frames.map(([end, ...values]) => columns.add(end, Uint8Array.from(values)));
  const seen = [];
  for (let n = Math.max(0, columns.newest - 9); n <= columns.newest; n += 1) seen.push([...columns.at(n)]);
  return {first, seen, end: columns.end};
}"""


def test_columns_follow_each_other_at_their_time(run):
    found = run("live/columns.js", COLUMNS, [[100.0, 1, 2, 3, 4], [100.1, 5, 6, 7, 8]])
    assert found["seen"] == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert found["first"] == [0, 2]
    assert abs(found["end"] - 100.1) < 1e-6


def test_a_small_gap_is_filled_and_a_long_one_stays_empty(run):
    small = run("live/columns.js", COLUMNS, [[100.0, 1, 2, 3, 4], [100.2, 5, 6, 7, 8]])
    assert small["seen"] == [[1, 2], [3, 4], [3, 4], [3, 4], [5, 6], [7, 8]]
    long = run("live/columns.js", COLUMNS, [[100.0, 1, 2, 3, 4], [100.25, 5, 6, 7, 8]])
    assert long["seen"] == [[1, 2], [3, 4], [0, 0], [0, 0], [0, 0], [5, 6], [7, 8]]


@pytest.mark.parametrize("end", [90.0, 500.0])
def test_a_clock_that_was_set_and_a_long_pause_begin_anew(run, end):
    found = run("live/columns.js", COLUMNS, [[100.0, 1, 2, 3, 4], [end, 5, 6]])
    assert found["seen"] == [[5, 6]]
    assert abs(found["end"] - end) < 1e-6


def test_only_the_newest_columns_are_kept(run):
    frames = [[100 + n / 20, n, n] for n in range(1, 40)]
    assert run("live/columns.js", COLUMNS, frames)["seen"] == [[n, n] for n in range(30, 40)]


def test_a_tone_is_brightest_in_its_band_and_silence_has_none(run):
    function = """({spectrogram}, hertz) => {
      const turn = 2 * Math.PI * hertz / 16000;
      const samples = Float32Array.from({length: 16000}, (_, n) => 0.5 * Math.sin(turn * n));
      const {grey, width, height} = spectrogram(samples, 16000, 20);
      const column = Array.from({length: height}, (_, row) => grey[row * width + 10]);
      return [column.indexOf(Math.max(...column)) / height, Math.max(...column)];
    }"""
    rows = [run("feed/spectrogram.js", function, hertz) for hertz in (200, 1000, 5000)]
    assert rows[0][0] > rows[1][0] > rows[2][0], "high tones are at the top"
    assert all(abs(brightest / 2 - 120 - -6) < 2 for _, brightest in rows), "0.5 of full scale is -6 dB"
    assert run("feed/spectrogram.js", function, 0)[1] <= 1


def test_spans_of_time_are_whole_days_here(run):
    now = "new Date(2026, 2, 29, 14, 30).getTime()"
    asked = run("feed/filters.js", f"({{asked}}) => asked({{when: 'yesterday', label: 'Dog'}}, {now})")
    local = run("feed/filters.js", "() => [28, 29].map((day) => new Date(2026, 2, day).toISOString())")
    assert asked == {"label": "Dog", "from": local[0], "to": local[1]}


def test_texts_choose_the_form_of_their_number_and_keep_what_they_do_not_know(run):
    function = "({t}) => [t('feed.fresh', {n: 1}), t('feed.fresh', {n: 3}), t('no.such.key')]"
    assert run("texts.js", function) == ["One new sound", "3 new sounds", "no.such.key"]


def test_frames_of_another_version_are_left_out(run):
    function = """({decode}, version) => {
      const view = new DataView(new ArrayBuffer(18));
      view.setUint8(0, version);
      view.setFloat64(4, 12.5, true);
      view.setFloat32(12, NaN, true);
      view.setUint8(17, 7);
      const frame = decode(view.buffer);
      return frame && [frame.time, String(frame.level), ...frame.columns];
    }"""
    assert run("live/live_socket.js", function, 1) == [12.5, "NaN", 0, 7]
    assert run("live/live_socket.js", function, 2) is None
