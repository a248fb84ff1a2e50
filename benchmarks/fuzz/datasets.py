"""Tables from others: what sounds when in a recording, which clips there are, and an earlier analysis."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benchmarks.fuzz.target import Finding, Run, Target
from detector.analysis.recording_files import RecordingFile
from detector.analysis.resume import RECORD_ENDING, STAMP, Folder
from detector.analysis.summary import Summary
from detector.analysis.task import Done, Wanted
from detector.datasets.annotation_files import read_annotations
from detector.datasets.annotation_table import is_table_of_many, read_table
from detector.datasets.annotations import Annotation
from detector.datasets.labelled_clips import read_dataset
from detector.evaluation.class_map import make_class_map, read_map
from detector.records import Label

_LABELS = (Label("Dog", "/m/0bt9lr", "fuzz"), Label("Rain", "/m/06mb1", "fuzz"))

_RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tSpecies\n"
    "1\tSpectrogram 1\t1\t0.5\t1.25\t100\t8000\tDog\n"
)
_JAMS_ROW = {"time": 0.5, "duration": 0.75, "value": "Dog", "confidence": 1.0}
_LONG_CELL = "x" * 200_000


def _truth_files(suffix: str) -> Callable[[Path], AbstractContextManager[Run]]:
    """Inputs are one recording's truth."""

    @contextmanager
    def target(folder: Path) -> Iterator[Run]:
        path = folder / f"truth{suffix}"

        def run(data: bytes) -> None:
            path.write_bytes(data)
            _check(read_annotations(path))

        yield run

    return target


def _check(found: Sequence[Annotation]) -> None:
    for one in found:
        if not (0 <= one.onset <= one.offset < float("inf") and one.label.strip()):
            raise Finding(f"an annotation that cannot be meant: {one}")


@contextmanager
def _tables_of_many(folder: Path) -> Iterator[Run]:
    recordings = [Path("a.wav"), Path("b.flac")]
    paths = [folder / "many.csv", folder / "many.tsv"]

    def run(data: bytes) -> None:
        path = paths[b"\t" in data]
        path.write_bytes(data)
        if is_table_of_many(path):
            for found in read_table(path, recordings):
                _check(found)

    yield run


@contextmanager
def _class_tables(folder: Path) -> Iterator[Run]:
    path = folder / "classes.csv"

    def run(data: bytes) -> None:
        path.write_bytes(data)
        make_class_map(["dog", "rain"], _LABELS, read_map(path), where="--class-map")

    yield run


@contextmanager
def _clip_tables(folder: Path) -> Iterator[Run]:
    """Inputs are the tables of ESC-50 and UrbanSound8K, by what their heading says."""
    for name in ("esc/audio/1-100-A-0.wav", "esc/audio/2-7-A-1.wav", "urban/audio/fold1/7-1-0-0.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    tables = {"esc": folder / "esc/meta/esc50.csv", "urban": folder / "urban/metadata/UrbanSound8K.csv"}
    for table in tables.values():
        table.parent.mkdir()

    def run(data: bytes) -> None:
        name = "urban" if b"slice_file_name" in data else "esc"
        tables[name].write_bytes(data)
        read_dataset(folder / name)

    yield run


@contextmanager
def _analysis_folders(folder: Path) -> Iterator[Run]:
    """Inputs are what an earlier analysis left in its folder: the settings, a zero byte, one recording."""
    done = Folder(folder, {"model": "yamnet", "threshold": 0.5})
    wanted = Wanted(formats=("csv",))
    recording = RecordingFile(Path("a.wav"), "a", size=44, modified=1)

    def run(data: bytes) -> None:
        settings, _, record = data.partition(b"\0")
        (folder / STAMP).write_bytes(settings)
        (folder / f"a{RECORD_ENDING}").write_bytes(record)
        done.done(recording, wanted)
        done.keep(recording, Done(Summary(), ()))
        done.prepare(overwrite=False)

    yield run


def _jams(rows: object, namespace: object = "segment_open") -> bytes:
    annotation = {"namespace": namespace, "data": rows, "time": 0, "duration": 2.0}
    return json.dumps({"annotations": [annotation], "file_metadata": {"duration": 2.0}}).encode()


def _jams_seeds() -> Sequence[bytes]:
    columns = {name: [value] for name, value in _JAMS_ROW.items()}
    value = {"role": "foreground", "label": "Dog"}
    return (
        _jams([_JAMS_ROW]),
        _jams(columns),
        _jams({**columns, "time": 1}),
        _jams({**columns, "time": [1, 2]}),
        _jams([{**_JAMS_ROW, "value": value}], "scaper"),
        _jams([{**_JAMS_ROW, "value": {"role": "foreground"}}], "scaper"),
        _jams([{**_JAMS_ROW, "time": 1e400}]),
        _jams(7, ["tag_open"]),
        b"[" * 5000,
        b'{"annotations": {"a": 1}}',
    )


_JAMS_WORDS = (
    *(b'"annotations"', b'"namespace"', b'"segment_open"', b'"scaper"', b'"data"', b'"time"', b'"value"'),
    *(b'"duration"', b'"role"', b'"label"', b"null", b"true", b"{", b"}", b"[", b"]", b":", b",", b"1e999"),
)
_TABLE_WORDS = (
    *(b"onset", b"offset", b"label", b"filename", b"start", b"end", b"event", b"a.wav", b"b.flac", b"Dog"),
    *(
        b"\t",
        b",",
        b";",
        b"\n",
        b"\r",
        b'"',
        b"=",
        b"'",
        b"0.5",
        b"1.25",
        b"-1",
        b"inf",
        b"nan",
        b"1,5",
        b"_",
    ),
)
_RTTM_WORDS = (b"SPEAKER", b"SPKR-INFO", b"<NA>", b" ", b"\n", b";;", b"0.5", b"-1", b"nan", b"Dog", b"\x85")
_RAVEN_WORDS = (b"Selection\t", b"Begin Time (s)", b"End Time (s)", b"Species", b"Annotation", b"\\")
_CLIP_WORDS = (
    *(b"filename", b"fold", b"target", b"category", b"src_file", b"slice_file_name", b"fsID", b"class"),
    *(b",", b"\n", b'"', b"1-100-A-0.wav", b"../", b"/dev/zero", b"\0", b"dog", b"1", b"2", b"x" * 300),
)
_RECORD = {
    "source": "a.wav",
    "size": 44,
    "modified": 1,
    "outputs": ["a.csv"],
    "summary": Summary().as_json(),
}


def _analysis_seeds() -> Sequence[bytes]:
    settings, record = json.dumps({"model": "yamnet", "threshold": 0.5}), json.dumps(_RECORD)
    endless = record.replace('"recordings": 0', '"recordings": Infinity')
    return (
        f"{settings}\0{record}".encode(),
        f"{settings}\0{endless}".encode(),
        f'{{"model": "other"}}\0{record}'.encode(),
        settings.encode() + b"\0" + b"[" * 5000,
        b"[" * 5000 + b"\0" + record.encode(),
        b'{"\x1b[2J": 1}\0{}',
    )


TARGETS = (
    Target(
        "truth in .txt",
        40,
        lambda: (b"0.5\t1.25\tDog\n\\\t100\t8000\n1\t2\tRain\n", _RAVEN.encode(), b""),
        _truth_files(".txt"),
        (*_TABLE_WORDS, *_RAVEN_WORDS),
    ),
    Target(
        "truth in .csv",
        40,
        lambda: (
            b"onset,offset,label\n0.5,1.25,Dog\n",
            b"Start,End,Class\n0,1,'=Dog\n",
            f"onset,offset,label\n0,1,{_LONG_CELL}\n".encode(),
        ),
        _truth_files(".csv"),
        _TABLE_WORDS,
    ),
    Target(
        "truth in .tsv",
        30,
        lambda: (b"onset\toffset\tevent_label\n0.5\t1.25\tDog\n",),
        _truth_files(".tsv"),
        _TABLE_WORDS,
    ),
    Target("truth in .jams", 40, _jams_seeds, _truth_files(".jams"), _JAMS_WORDS),
    Target(
        "truth in .rttm",
        30,
        lambda: (b"SPEAKER a 1 0.5 0.75 <NA> <NA> Dog <NA> <NA>\n;; c\nSPKR-INFO a 1\n",),
        _truth_files(".rttm"),
        _RTTM_WORDS,
    ),
    Target(
        "truth of many",
        40,
        lambda: (
            b"filename,onset,offset,event_label\na.wav,0.5,1.25,Dog\nb\n",
            b"filename\tonset\toffset\tlabel\na\t0\t1\tDog\nx/b.flac\t\t\t\n",
            f'file,onset,offset,label\n"{_LONG_CELL}",0,1,Dog\n'.encode(),
        ),
        _tables_of_many,
        _TABLE_WORDS,
    ),
    Target(
        "class map",
        20,
        lambda: (b"class,labels\ndog,Dog\nrain,Rain\n", b'class,labels\ndog,"Dog; Rain"\nrain,\n'),
        _class_tables,
        (b"class,labels", b"dog", b"rain", b"Dog", b"Rain", b";", b",", b'"', b"\n"),
    ),
    Target(
        "table of clips",
        40,
        lambda: (
            b"filename,fold,category\n1-100-A-0.wav,1,dog\n2-7-A-1.wav,2,rain\n",
            b"slice_file_name,fsID,fold,class\n7-1-0-0.wav,7,1,dog\n",
            f"filename,fold,category\n{_LONG_CELL},1,dog\n".encode(),
        ),
        _clip_tables,
        _CLIP_WORDS,
    ),
    Target("analysis folder", 30, _analysis_seeds, _analysis_folders, (*_JAMS_WORDS, b'"summary"', b"\0")),
)
