"""Pictures and pages: what is on them, and that they need nothing else."""

from __future__ import annotations

import base64
import re
from datetime import UTC
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detector.analysis.index import index_html
from detector.analysis.overview import FLOOR_DBFS, HOP, MOST_COLUMNS, Overview, Spectrogram
from detector.analysis.page import Page, address_from, page_html, position_text
from detector.analysis.page_picture import SHADES, picture_html
from detector.analysis.picture import MOST_ROWS, draw, time_axis, timeline_rows
from detector.analysis.summary import Tallying, merged
from detector.records import Block
from tests.support.analysis_events import make_sound
from tests.support.fakes import cut
from tests.support.grey_pixels import grey_pixels

RATE = 16000
NINE = 1_795_168_800.0  # 2026-11-20 10:00 UTC


def overview(samples, block=RATE):
    gathered = Overview(sample_rate=RATE)
    for part in cut(samples, block):
        gathered.push(part)
    return gathered.finish()


def tone(hz, seconds, amplitude=8000):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


def summary(sounds, seconds, start=None):
    tallying = Tallying(start=start, zone=UTC)
    for sound in sounds:
        tallying.add(sound.label, sound.onset, sound.offset)
    return tallying.end(seconds)


class TestOverview:
    @pytest.mark.parametrize("hz", [200, 1000, 5000])
    def test_a_tone_is_where_it_belongs_and_as_loud_as_it_is(self, hz):
        spectrogram = overview(tone(hz, 2))
        column = spectrogram.dbfs[:, spectrogram.dbfs.shape[1] // 2]
        band = int(np.argmax(column))
        assert spectrogram.edges_hz[band] - RATE / 1024 <= hz <= spectrogram.edges_hz[band + 1] + RATE / 1024
        assert -25 < column[band] < -12
        assert spectrogram.seconds == 2

    def test_cutting_makes_no_difference(self):
        samples = np.random.default_rng(1).integers(-9000, 9000, 5 * RATE).astype(np.int16)
        np.testing.assert_allclose(overview(samples, 777).dbfs, overview(samples, RATE).dbfs, atol=1e-3)

    def test_columns_are_bounded_and_a_click_in_a_long_silence_stays(self):
        gathered = Overview(sample_rate=RATE)
        silence, click = np.zeros(60 * RATE, np.int16), tone(1000, 0.1)
        for minute in range(12):
            samples = silence.copy()
            if minute == 3:
                samples[: len(click)] = click
            gathered.push(Block(minute * 60 * RATE, samples))
        spectrogram = gathered.finish()
        columns = spectrogram.dbfs.shape[1]
        assert MOST_COLUMNS <= columns < 2 * MOST_COLUMNS < 12 * 60 * RATE / HOP
        loud = np.flatnonzero(spectrogram.dbfs.max(axis=0) > -40)
        assert np.allclose(loud / columns, 3 / 12, atol=2 / columns + 0.002)

    def test_in_fewer_columns_the_loudest_stays(self):
        columns = np.full((2, 4099), FLOOR_DBFS, np.float32)
        columns[1, 4098] = -20
        fewer = Spectrogram(columns, np.zeros(3), 9.0).in_columns(1600)
        assert fewer.dbfs.shape == (2, 2050)
        assert np.flatnonzero(fewer.dbfs[1] > FLOOR_DBFS).tolist() == [2049]
        assert fewer.in_columns(1600) is fewer

    @pytest.mark.parametrize("seconds", [0, 0.01])
    def test_nothing_is_a_black_picture(self, seconds):
        assert (overview(tone(1000, seconds)).dbfs == FLOOR_DBFS).all()


class TestTheTimeline:
    def test_ranks_labels_and_puts_the_rest_into_one_row(self):
        sounds = [make_sound(0, 100 - n, f"label {n}") for n in range(MOST_ROWS + 5)]
        rows = timeline_rows(sounds, summary(sounds, 200))
        assert [label for label, _ in rows] == [*(f"label {n}" for n in range(MOST_ROWS)), "5 others"]
        assert sum(len(row) for _, row in rows) == len(sounds)

    @pytest.mark.parametrize(
        ("seconds", "start", "labels"),
        [
            (5, None, ["0.0 s", "0.5 s", "1.0 s"]),
            (300, None, ["0:00", "0:30", "1:00"]),
            (7200, None, ["0:00 h", "0:15 h", "0:30 h"]),
            (7200, NINE + 60, ["10:15", "10:30", "10:45"]),
            (86400, NINE, ["12:00", "15:00", "18:00"]),
        ],
    )
    def test_ticks_are_round_times(self, seconds, start, labels):
        ticks, said = time_axis(seconds, start, UTC)
        assert said[:3] == labels
        assert 2 < len(ticks) <= 12
        assert ticks[-1] <= seconds

    @pytest.mark.parametrize("sounds", [[], [make_sound(0.5, 1, "costs $5 or $6"), make_sound(1, 2, "雨")]])
    def test_is_drawn(self, sounds):
        pytest.importorskip("matplotlib")
        png = draw(overview(tone(500, 2)), sounds, summary(sounds, 2.0), title="a $ b $ caf\udce9", zone=UTC)
        assert png.startswith(b"\x89PNG")


class Outline(HTMLParser):
    """Tags that are open, and every address that is named."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        self.tags.append(tag)
        if tag not in ("meta", "img", "input"):
            self.open.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def outline(html):
    parsed = Outline()
    parsed.feed(html)
    parsed.close()
    assert parsed.open == []
    return parsed


SPECTROGRAM = overview(tone(500, 0.5))


def page(sounds, seconds=60.0, start=None, name="a <b> & c", count=None, **fields):
    count = len(sounds) if count is None else count
    heard = summary(sounds, seconds, start)
    return page_html(
        Page(name, f"in/{name}.wav", "yamnet", heard, sounds, count, SPECTROGRAM, **fields), zone=UTC
    )


class TestThePicture:
    def test_is_grey_pixels_of_which_the_loudest_is_white(self):
        html = picture_html(overview(tone(1000, 2)), name="a")
        png = base64.b64decode(html.partition("base64,")[2].partition('"')[0])
        pixels = grey_pixels(png)
        assert pixels.shape[1] == overview(tone(1000, 2)).dbfs.shape[1]
        assert pixels.max() == 255
        bright = len(pixels) - pixels.mean(axis=1).argmax()
        assert 38 < bright < 48  # of 128: 1 kHz is a third up the mel scale, and high bands are on top
        assert len(np.unique(pixels)) <= SHADES

    def test_leaves_out_high_bands_in_which_nothing_is(self):
        dbfs = np.full((128, 40), FLOOR_DBFS, np.float32)
        dbfs[:100] = -60
        dbfs[50, 3] = -20
        html = picture_html(Spectrogram(dbfs, np.arange(129.0), 1.0), name="a")
        assert grey_pixels(base64.b64decode(html.partition("base64,")[2].partition('"')[0])).shape == (
            100,
            40,
        )
        assert 'data-high="100.0"' in html

    def test_says_how_far_the_clock_is_from_utc(self):
        day = Spectrogram(SPECTROGRAM.dbfs, SPECTROGRAM.edges_hz, 86400.0)
        # In Berlin, summer ends on 2026-10-25 at 01:00 UTC.
        html = picture_html(day, name="a", start=1_792_886_400.0 - 7200, zone=ZoneInfo("Europe/Berlin"))
        assert 'data-clock="0:7200 10800:3600"' in html
        assert "data-clock" not in picture_html(day, name="a")


class TestThePage:
    SOUNDS = (make_sound(1, 3, "Dog"), make_sound(4, 5, "R&B <loud>"))

    def test_is_well_formed_and_needs_nothing_from_outside(self):
        html = page(self.SOUNDS)
        assert all(address.startswith("data:") for address in outline(html).addresses)
        assert "http" not in html

    def test_has_the_summary_and_every_event(self):
        html = page(self.SOUNDS)
        assert "R&amp;B &lt;loud&gt;" in html
        assert len(re.findall(r"<tr ", html.partition('<tbody class="events">')[2])) == 2
        assert ">2.0<" in html
        assert "a &lt;b&gt; &amp; c" in html

    def test_says_when_where_that_is_known(self):
        assert "2026-11-20 10:00:00" in page(self.SOUNDS, start=NINE)
        assert "Fri 10:00:04" in page(self.SOUNDS, start=NINE)
        assert "1970" not in page(self.SOUNDS)

    def test_has_hours_for_long_recordings_only(self):
        assert "By hour of day" in page(self.SOUNDS, 9000, NINE)
        assert "By hour since the start" in page(self.SOUNDS, 9000)
        assert "By hour" not in page(self.SOUNDS)

    def test_says_how_many_events_it_leaves_out(self):
        assert "8 shorter sounds are left out" in page(self.SOUNDS, count=10)
        assert "left out" not in page(self.SOUNDS)

    def test_of_silence_is_a_page_too(self):
        html = page(())
        outline(html)
        assert "Nothing was heard" in html

    def test_takes_the_sound_from_the_recording_where_there_is_one(self, tmp_path):
        recording = tmp_path / "in" / "a b#1?.wav"
        recording.parent.mkdir()
        recording.write_bytes(b"RIFF")
        address = address_from(tmp_path / "out" / "june" / "a.report.html", recording)
        assert address == "../../in/a%20b%231%3F.wav"
        assert address in outline(page(self.SOUNDS, recording=address)).addresses
        assert address_from(tmp_path / "a.html", tmp_path / "nowhere.wav") == ""
        assert "There is no sound here" in page(self.SOUNDS)

    def test_marks_alarms(self):
        html = page(self.SOUNDS, alarms={"Dog"})
        assert len(re.findall(r'<tr class="alarm"', html)) == 1

    @pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\x1b[31mred", "\"\n'><b>", "L" * 10_000])
    def test_shows_what_others_wrote_as_text(self, name):
        sounds = (make_sound(1, 3, name),)
        plain = outline(page((make_sound(1, 3, "Dog"),), seconds=9000, name="plain"))
        hostile = outline(page(sounds, seconds=9000, name=name))
        assert [tag for tag in hostile.tags if tag != "div"] == [tag for tag in plain.tags if tag != "div"]
        texts = "".join(hostile.texts)
        assert name.replace("\x1b", "\\x1b").replace("\n", "\\n") in texts
        assert "\x1b" not in texts
        heard = {name: summary(sounds, 5000)}
        listed = outline(index_html(heard, merged(heard.values()), faults={name: name}))
        assert not {"b", "script"} & set(listed.tags[listed.tags.index("table") :]) - {"script"}
        assert listed.tags.count("script") == 1

    def test_index_names_what_was_not_read_and_why(self):
        heard = {"a": summary(self.SOUNDS, 60)}
        html = index_html(heard, merged(heard.values()), faults={"in/b.wav": "it is <empty>"})
        assert "with faults" in html
        assert "in/b.wav" in outline(html).texts
        assert "it is &lt;empty&gt;" in html
        assert "Not read" not in index_html(heard, merged(heard.values()))

    def test_index_leads_to_every_page(self):
        heard = {name: summary(self.SOUNDS, 5000, NINE) for name in ("june/a b#1", "ä<")}
        html = index_html(heard, merged(heard.values()), zone=UTC)
        assert outline(html).addresses == ["june/a%20b%231.report.html", "%C3%A4%3C.report.html"]

    def test_positions_are_written_for_people(self):
        assert [position_text(seconds) for seconds in (7.25, 59.99, 3849)] == [
            "0:07.2",
            "1:00.0",
            "1:04:09.0",
        ]
