"""The grammar of `evaluate` and `soundscape`, and what they ask for as plain values."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from detector.cli.number_arguments import number, whole
from detector.cli.setting_flags import add_config_flags, add_hearing_flags
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.evaluation.command import EvaluateRequest
    from detector.soundscapes.command import SoundscapeRequest

LAYOUTS = ("esc50", "urbansound8k", "folders")

EVALUATE_EXAMPLES = """\
examples:
  sound-detector evaluate ESC-50-master                     clips in the layout of ESC-50
  sound-detector evaluate my-clips --map my-classes.csv --out report
  sound-detector evaluate recordings/ --annotations labels/ --preset sure
  sound-detector evaluate recordings/ --annotations strong_labels.tsv
"""

SOUNDSCAPE_EXAMPLES = """\
examples:
  sound-detector soundscape ESC-50-master --out scenes --count 12 --seconds 300
  sound-detector soundscape ESC-50-master --out rainy --background rain --background-dbfs -40
  sound-detector evaluate scenes --annotations scenes
"""


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Flags of `evaluate`."""
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        type=Path,
        help="a dataset of clips; with --annotations: recordings or folders of them",
    )
    what = parser.add_argument_group("what to compare with")
    what.add_argument(
        "--annotations",
        metavar="DIR|TABLE",
        type=Path,
        help="folder with one file for each recording: .txt (Audacity), .csv, .tsv, .jams or .rttm; "
        "or one .csv or .tsv with a column filename for all",
    )
    what.add_argument("--layout", choices=LAYOUTS, help="of the dataset (default: what it looks like)")
    what.add_argument("--map", metavar="FILE", type=Path, help="CSV class,labels: what each class is called")
    what.add_argument(
        "--ignore",
        metavar="LABEL",
        action="append",
        default=[],
        help="count no event of this label or its kinds in recordings; again for more",
    )
    output = parser.add_argument_group("output")
    output.add_argument("--out", metavar="DIR", type=Path, help="write the report, tables and pictures there")
    output.add_argument("--overwrite", action="store_true", help="also where DIR holds something")
    output.add_argument("--json", action="store_true", help="all figures as one JSON object")
    output.add_argument(
        "-j",
        "--jobs",
        metavar="N",
        type=whole(0, 1024),
        default=0,
        help="processes (default: one for each core)",
    )
    output.add_argument("-q", "--quiet", action="store_true", help="no progress bar")
    add_hearing_flags(parser)
    add_config_flags(parser)


def add_soundscape(parser: argparse.ArgumentParser) -> None:
    """Flags of `soundscape`."""
    parser.add_argument("clips", metavar="DATASET", type=Path, help="clips, in a layout that evaluate knows")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="where the recordings go")
    parser.add_argument("--overwrite", action="store_true", help="also where DIR holds something")
    parser.add_argument("--layout", choices=LAYOUTS, help="of the dataset (default: what it looks like)")
    parser.add_argument(
        "--fold", metavar="FOLD", action="append", default=[], help="only clips of this fold; again for more"
    )
    parser.add_argument(
        "--exclude",
        metavar="CLASS",
        action="append",
        default=[],
        help="no clip of this class; again for more",
    )
    parser.add_argument("--count", type=whole(1, 9999), default=1, metavar="N", help="recordings (default 1)")
    parser.add_argument(
        "--seconds", type=number(20, 36000), default=300.0, metavar="S", help="length of each (default 300)"
    )
    parser.add_argument(
        "--background",
        default="pink",
        metavar="WHAT",
        help="pink (default), white or brown noise, a recording or a folder of them to loop, or a class "
        "of the clips, which then is not mixed in",
    )
    parser.add_argument(
        "--background-dbfs", type=number(-100, 0), default=-50.0, metavar="DB", help="its level (default -50)"
    )
    parser.add_argument(
        "--snr",
        nargs=2,
        type=number(-60, 100),
        default=(6.0, 30.0),
        metavar=("LOW", "HIGH"),
        help="sounds over the background under them [dB] (default 6 30)",
    )
    parser.add_argument(
        "--pause",
        nargs=2,
        type=number(0, 600),
        default=(1.0, 8.0),
        metavar=("LOW", "HIGH"),
        help="from a sound's end to the next [s] (default 1 8)",
    )
    parser.add_argument(
        "--overlap",
        type=number(0, 1, "a share"),
        default=0.2,
        metavar="SHARE",
        help="of sounds inside another (default 0.2)",
    )
    parser.add_argument(
        "--reverb",
        type=number(0, 600),
        default=0.0,
        metavar="S",
        help="decay of the room by 60 dB (default 0: none)",
    )
    parser.add_argument("--rate", type=whole(8000, 192000), default=32000, metavar="HZ", help="default 32000")
    parser.add_argument("--format", choices=("flac", "wav"), default="flac", help="default flac")
    parser.add_argument(
        "--seed", type=whole(), default=0, metavar="N", help="the same gives the same (default 0)"
    )


def evaluate_request(options: argparse.Namespace, *, hop_seconds: float) -> EvaluateRequest:
    """What `evaluate` was asked for; raises ConfigError where flags have nothing to say together."""
    if options.annotations is None and options.ignore:
        raise ConfigError("--ignore is about annotated recordings: add --annotations")
    if options.annotations is not None and options.layout is not None:
        raise ConfigError("--layout is about a dataset of clips: leave it out beside --annotations")
    from detector.evaluation.command import EvaluateRequest

    return EvaluateRequest(
        paths=tuple(options.paths),
        annotations=options.annotations,
        layout=options.layout,
        map_file=options.map,
        ignore=tuple(options.ignore),
        out=options.out,
        overwrite=options.overwrite,
        as_json=options.json,
        hop_seconds=hop_seconds,
        jobs=options.jobs,
        quiet=options.quiet,
    )


def soundscape_request(options: argparse.Namespace) -> SoundscapeRequest:
    """What `soundscape` was asked for."""
    from detector.soundscapes.command import SoundscapeRequest
    from detector.soundscapes.plan import Rules

    return SoundscapeRequest(
        clips=options.clips,
        out=options.out,
        rules=Rules(
            seconds=options.seconds,
            pause_seconds=_ordered(options.pause),
            overlap=options.overlap,
            snr_db=_ordered(options.snr),
        ),
        count=options.count,
        layout=options.layout,
        background=options.background,
        background_dbfs=options.background_dbfs,
        exclude=tuple(options.exclude),
        folds=tuple(options.fold),
        reverb_seconds=options.reverb,
        rate=options.rate,
        format=options.format,
        seed=options.seed,
        overwrite=options.overwrite,
    )


def _ordered(pair: tuple[float, float]) -> tuple[float, float]:
    return min(pair), max(pair)
