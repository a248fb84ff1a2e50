"""What each format writes of the same sounds."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from detector.analysis.formats import FORMATS, PARQUET, SCORES
from detector.analysis.formats.scores import ScoresFile
from detector.cli.commands.analyze import FORMATS as WORDS
from detector.records import Scores, Span
from detector.wire.encoding import encode
from tests.support.analysis_events import make_sound
from tests.support.fakes import make_label
from tests.support.wire_messages import make_body, make_message

SOUNDS = [make_sound(1.25, 3.5), make_sound(2, 2.5, "Baby cry, infant cry")]


def written(word, sounds=SOUNDS, source="in/a b.wav"):
    format = FORMATS[word](source, timed=False)
    return format.header + "".join(format.sound(sound) for sound in sounds)


def test_the_command_line_knows_all_formats():
    assert set(WORDS) == {*FORMATS, PARQUET, SCORES}


def test_endings_differ():
    assert len({kind.ending for kind in FORMATS.values()}) == len(FORMATS)


def test_audacity_takes_tabs_and_seconds():
    assert written("audacity") == "1.250000\t3.500000\tDog\n2.000000\t2.500000\tBaby cry, infant cry\n"


def test_raven_numbers_its_selections():
    header, *rows = (line.split("\t") for line in written("raven").splitlines())
    assert header[:5] == ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)"]
    assert [row[0] for row in rows] == ["1", "2"]
    assert dict(zip(header, rows[1], strict=True)) | {"Selection": "2"} == {
        "Selection": "2",
        "View": "Spectrogram 1",
        "Channel": "1",
        "Begin Time (s)": "2.000000",
        "End Time (s)": "2.500000",
        "Low Freq (Hz)": "0",
        "High Freq (Hz)": "8000",
        "Begin Path": "in/a b.wav",
        "Annotation": "Baby cry, infant cry",
        "Score": "0.750",
    }


def test_rttm_has_ten_fields_without_blanks():
    assert written("rttm") == (
        "SPEAKER a_b 1 1.250 2.250 <NA> <NA> Dog 0.750 <NA>\n"
        "SPEAKER a_b 1 2.000 0.500 <NA> <NA> Baby_cry,_infant_cry 0.750 <NA>\n"
    )


def test_csv_reads_back():
    rows = list(csv.DictReader(io.StringIO(written("csv"))))
    assert [(row["onset"], row["offset"], row["label"], row["top_score"]) for row in rows] == [
        ("1.250", "3.500", "Dog", "0.75"),
        ("2.000", "2.500", "Baby cry, infant cry", "0.75"),
    ]


@pytest.mark.parametrize("word", ["audacity", "raven", "rttm"])
def test_no_name_breaks_a_line_or_a_column(word):
    odd = [make_sound(0, 1, "a\tb\nc")]
    plain = [make_sound(0, 1, "a b c")]
    assert written(word, odd, source="x\ny.wav").count("\n") == written(word, plain).count("\n")
    assert written(word, odd, source="x\ny.wav").count("\t") == written(word, plain).count("\t")


def test_json_lines_are_what_is_told_as_it_is_told():
    lines = FORMATS["jsonl"]("x", timed=False)
    message = make_message(1)
    assert lines.event(message) == message.line.decode()
    assert lines.sound(SOUNDS[0]) == ""


def test_text_without_a_start_shows_the_time_since_the_beginning():
    body = replace(make_body("start"), start_time="1970-01-01T00:01:02.500Z")
    line = FORMATS["text"]("x", timed=False).event(encode(body, 1))
    assert line.startswith("00:01:02.500  start   Dog")
    assert FORMATS["text"]("x", timed=False).event(make_message(1, "update")) == ""


class TestScores:
    LABELS = (make_label("Dog"), make_label("Rain"))

    def file(self, path, count):
        scores = ScoresFile(path, self.LABELS, sample_rate=10)
        for window in range(count):
            values = np.array([window / 10, 0.5], np.float32)
            scores.push(Scores(Span(2 * window - 8, 2 * window + 2), values))
        scores.close()
        return np.load(path)

    def test_reads_back(self, tmp_path):
        read = self.file(tmp_path / "x.npz", 3)
        assert read["scores"].dtype == np.float32
        np.testing.assert_array_equal(
            read["scores"], np.array([[0, 0.5], [0.1, 0.5], [0.2, 0.5]], np.float32)
        )
        assert read["labels"].tolist() == ["Dog", "Rain"]
        assert read["class_ids"].tolist() == ["/Dog", "/Rain"]
        assert read["start"].tolist() == [-0.8, -0.6, -0.4]
        assert read["stop"].tolist() == [0.2, 0.4, 0.6]

    def test_no_window_is_an_empty_table(self, tmp_path):
        assert self.file(tmp_path / "x.npz", 0)["scores"].shape == (0, 2)

    def test_leaves_nothing_else_behind(self, tmp_path):
        self.file(tmp_path / "x.npz", 3)
        assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]
        assert zipfile.ZipFile(tmp_path / "x.npz").testzip() is None
