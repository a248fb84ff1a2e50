"""Sounds as Parquet files: every recording's name is read back, and rows are replaced, never doubled."""

from __future__ import annotations

import os
import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.analysis.formats.parquet import COLUMNS, EventTables, source_of
from detector.analysis.recording_files import RecordingFile
from detector.analysis.resume import Folder
from detector.analysis.session import Session
from detector.analysis.summary import Summary
from detector.analysis.task import Done, Wanted
from detector.errors import ConfigError
from detector.wire.message import utc_text
from tests.support.analysis_events import make_sound

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

EVENING = datetime(2026, 8, 1, 23, 0, tzinfo=UTC).timestamp()
MODIFIED = 1
ANALYZE_MD = Path(__file__).parents[2] / "docs" / "analyze.md"

hostile = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=30),
        st.binary(min_size=1, max_size=30).map(
            lambda raw: os.fsdecode(raw.replace(b"/", b"=").replace(b"\0", b"%"))
        ),
        st.sampled_from(
            ["001", "1.5", "1.e5", "nan", "true", "2026-08-01", "a=b%2F", "__HIVE_DEFAULT_PARTITION__"]
        ),
        st.text("äq ", min_size=200, max_size=255),
    ).filter(lambda part: part not in (".", "..")),
    min_size=1,
    max_size=3,
)
"""Ways through folders to a recording: marks that mean something to readers, and names that are no text."""
recordings = st.builds(
    lambda parts, ending: Path("/".join(parts) + ending), hostile, st.sampled_from(["", ".wav", ".flac"])
)


def source_at(path):
    """The source of a recording at this place in the folder analyzed, whose results have no ending."""
    return source_of(path.with_suffix("").as_posix(), path)


def write(folder, sounds, *, path="night.flac", start=EVENING):
    """Analyze a recording with these onsets; returns the names of its files."""
    gathering = folder / "night.parquet.part"
    tables = EventTables(folder, gathering, source=source_at(Path(path)), start=start)
    tables.open()
    for onset in sounds:
        began, ended = (utc_text((start or 0.0) + second) for second in (onset, onset + 1))
        tables.push(make_sound(onset, onset + 1, start_time=began, end_time=ended, source=path))
    names = tables.commit()
    tables.discard()
    assert not gathering.exists()
    return names


def rows(folder):
    """Day, source and onset of all rows, by pyarrow."""
    table = parquet.read_table(folder / "events").to_pydict()
    return sorted(zip(map(str, table["day"]), table["source"], table["onset"], strict=True))


@settings(max_examples=30)
@given(st.lists(recordings, unique=True, max_size=10))
def test_sources_are_different_texts_that_a_folder_can_be_called(paths):
    sources = [source_at(path) for path in paths]
    assert len({*sources}) == len(paths)
    for source in sources:
        source.encode()
        assert not re.fullmatch(r"[\d.eE+-]+|nan|true|__HIVE_DEFAULT_PARTITION__", source)


@pytest.mark.parametrize("reader", ["pyarrow", "pandas", "duckdb", "polars"])
@settings(max_examples=15)
@given(paths=st.lists(recordings, unique=True, min_size=1, max_size=6))
def test_hostile_names_are_read_back(reader, tmp_path_factory, paths):
    library = pytest.importorskip(reader)
    folder = tmp_path_factory.mktemp("tables")
    wanted = set()
    for path in paths:
        (name,) = write(folder, [1.0], path=str(path))
        source = source_at(path)
        wanted.add((source, str(path).encode("utf-8", "replace").decode()))
        day, place, file = name.removeprefix("events/").split("/")
        assert (day, unquote(place), file) == ("day=2026-08-01", f"source={source}", "events.parquet")
    found = {
        "pyarrow": lambda: parquet.read_table(folder / "events").to_pylist(),
        "pandas": lambda: library.read_parquet(folder / "events").astype({"source": str}).to_dict("records"),
        "duckdb": lambda: [
            {"source": source, "path": path}
            for source, path in library.sql(
                f"SELECT source, path FROM '{folder}/events/*/*/*.parquet'"  # noqa: S608
            ).fetchall()
        ],
        "polars": lambda: (
            library.scan_parquet(f"{folder}/events/**/*.parquet", hive_partitioning=True).collect().to_dicts()
        ),
    }[reader]()
    assert sorted((row["source"], row["path"]) for row in found) == sorted(wanted)
    shutil.rmtree(folder)


def test_columns_are_typed(tmp_path):
    (name,) = write(tmp_path, [1.25])
    schema = parquet.ParquetFile(tmp_path / name).schema_arrow
    types = {
        "double": pyarrow.float64(),
        "string": pyarrow.string(),
        "time": pyarrow.timestamp("ms", tz="UTC"),
    }
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        name: types[kind] for name, kind in COLUMNS.items()
    }
    (row,) = parquet.ParquetFile(tmp_path / name).read().to_pylist()
    assert row == {
        "onset": 1.25,
        "offset": 2.25,
        "start_time": datetime(2026, 8, 1, 23, 0, 1, 250_000, tzinfo=UTC),
        "end_time": datetime(2026, 8, 1, 23, 0, 2, 250_000, tzinfo=UTC),
        "label": "Dog",
        "class_id": "/Dog",
        "top_score": 0.75,
        "level_dbfs": -20.0,
        "model": "fake",
        "id": "run-1",
        "path": "night.flac",
    }


def test_the_documentation_names_all_columns():
    text = ANALYZE_MD.read_text(encoding="utf-8")
    assert [name for name in ("day", "source", *COLUMNS) if f"`{name}`" not in text] == []


def test_a_recording_over_midnight_has_two_files(tmp_path):
    assert len(write(tmp_path, [10.0, 3599.5, 3600.5, 3700.0])) == 2
    assert rows(tmp_path) == [
        ("2026-08-01", "night.flac", 10.0),
        ("2026-08-01", "night.flac", 3599.5),
        ("2026-08-02", "night.flac", 3600.5),
        ("2026-08-02", "night.flac", 3700.0),
    ]


def test_more_rows_than_are_held_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("detector.analysis.formats.parquet.BATCH_ROWS", 3)
    write(tmp_path, [*range(10)])
    assert [onset for _, _, onset in rows(tmp_path)] == [*range(10)]


def test_an_unknown_start_has_no_times_and_the_first_day_of_1970(tmp_path):
    (name,) = write(tmp_path, [1.0, 90_000.0], start=None)
    table = parquet.ParquetFile(tmp_path / name).read().to_pydict()
    assert (table["onset"], table["start_time"], table["end_time"]) == (
        [1.0, 90_000.0],
        [None] * 2,
        [None] * 2,
    )
    assert [day for day, _, _ in rows(tmp_path)] == ["1970-01-01"] * 2


def test_a_recording_without_sounds_has_a_file_without_rows(tmp_path):
    (name,) = write(tmp_path, [])
    assert name == "events/day=2026-08-01/source=night.flac/events.parquet"
    assert rows(tmp_path) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["hall/a.wav", "hall/b.wav"]),
            st.sampled_from([None, EVENING, EVENING + 86_400.0]),
            st.lists(st.integers(0, 100_000).map(float), unique=True, max_size=4).map(sorted),
        ),
        max_size=5,
    )
)
@settings(max_examples=25)
def test_what_is_analyzed_again_replaces_the_rows_of_that_recording_alone(tmp_path_factory, runs):
    folder = tmp_path_factory.mktemp("tables")
    wanted = {}
    for path, start, sounds in runs:
        write(folder, sounds, path=path, start=start)
        wanted[path] = sorted(
            (
                str(
                    date.fromtimestamp(0) if start is None else datetime.fromtimestamp(start + s, UTC).date()
                ),
                path,
                s,
            )
            for s in sounds
        )
    if wanted:
        assert rows(folder) == sorted(row for rows in wanted.values() for row in rows)
    shutil.rmtree(folder)


def test_the_same_sounds_have_the_same_bytes(tmp_path):
    one, two = (
        [(tmp_path / side / name).read_bytes() for name in write(tmp_path / side, [1.0, 4000.0])]
        for side in "ab"
    )
    assert one == two


def test_what_a_killed_process_left_is_no_hindrance(tmp_path):
    (tmp_path / "night.parquet.part").mkdir()
    (tmp_path / "night.parquet.part" / "2026-08-01").write_bytes(b"half")
    write(tmp_path, [1.0])
    assert len(rows(tmp_path)) == 1


def test_the_gathering_folder_may_have_a_name_that_is_no_text(tmp_path):
    gathering = tmp_path / os.fsdecode(b"caf\xe9.parquet.part")
    tables = EventTables(tmp_path, gathering, source="night.flac", start=EVENING)
    try:
        tables.open()
    except OSError:
        pytest.skip("this file system wants names in UTF-8")
    (name,) = tables.commit()
    tables.discard()
    assert (tmp_path / name).is_file()
    assert not gathering.exists()


def test_what_is_not_committed_leaves_nothing(tmp_path):
    tables = EventTables(tmp_path, tmp_path / "night.parquet.part", source="night.flac", start=EVENING)
    tables.open()
    tables.push(make_sound(1.0, 2.0))
    tables.discard()
    assert [*tmp_path.iterdir()] == []


def test_a_recording_is_done_when_all_of_its_tables_are_there(tmp_path):
    folder = Folder(tmp_path, {"program": "test"})
    recording = RecordingFile(Path("night.flac"), "night", 1, MODIFIED)
    names = write(tmp_path, [1.0, 4000.0])
    wanted = Wanted(("parquet",))
    folder.keep(recording, Done(Summary(heard_seconds=1.0, recordings=1), ()))
    assert folder.done(recording, wanted) is None
    folder.keep(recording, Done(Summary(heard_seconds=1.0, recordings=1), names))
    assert folder.done(recording, wanted) is not None
    (tmp_path / names[1]).unlink()
    assert folder.done(recording, wanted) is None
    again = write(tmp_path, [1.0])
    folder.keep(recording, Done(Summary(heard_seconds=1.0, recordings=1), again))
    assert folder.done(recording, wanted) is not None


def test_recordings_in_a_folder_called_like_that_of_the_tables_are_refused(tmp_path):
    recording = RecordingFile(Path("in/events/a.wav"), "events/a")
    session = Session([recording], Wanted(("parquet",)), SimpleNamespace, 1, {"program": "test"})
    with pytest.raises(ConfigError, match=r"in/events/a\.wav lies in a folder called events, as the tables"):
        session.into_folder(tmp_path / "out", overwrite=False)


DOCUMENTED = re.findall(r"^    ((pandas|duckdb|polars)\..+)$", ANALYZE_MD.read_text(encoding="utf-8"), re.M)


def test_there_is_a_line_for_each_library():
    assert {library for _, library in DOCUMENTED} == {"pandas", "duckdb", "polars"}


@pytest.mark.parametrize(("line", "library"), DOCUMENTED, ids=[line for line, _ in DOCUMENTED])
def test_the_lines_of_the_documentation_read_all_rows(line, library, tmp_path, monkeypatch):
    reader = pytest.importorskip(library)
    write(tmp_path / "results", [1.0, 4000.0], path="hall/a.wav")
    write(tmp_path / "results", [2.0], path="b.wav", start=None)
    monkeypatch.chdir(tmp_path)
    found = eval(line, {library: reader})  # noqa: S307 - of our own documentation
    table = {"pandas": lambda: found, "duckdb": lambda: found.fetchall(), "polars": lambda: found}[library]()
    assert "Dog" in str(table) and re.search(r"\b[23]\b", str(table))
