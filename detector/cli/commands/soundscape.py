"""`sound-detector soundscape`: recordings whose sounds are known, mixed from clips."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.number_arguments import number, whole
from detector.cli.path_arguments import path
from detector.cli.setting_options import SettingOptions
from detector.cli.shared_flags import add_layout_flag, add_overwrite_flag, add_seed_flag

if TYPE_CHECKING:
    from detector.soundscapes.command import SoundscapeRequest

EXAMPLES = """\
examples:
  sound-detector soundscape ESC-50-master --out scenes --count 12
  sound-detector soundscape ESC-50-master --out rainy --background rain
  sound-detector evaluate scenes --annotations scenes
"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags."""
    parser.add_argument(
        "clips", metavar="DATASET", type=path, help="a dataset of clips, in a layout that evaluate can read"
    )
    parser.add_argument(
        "--out", metavar="DIR", type=path, required=True, help="write the recordings to this folder"
    )
    add_overwrite_flag(parser, "write to DIR even if it is not empty")
    add_layout_flag(parser)
    parser.add_argument(
        "--fold",
        metavar="FOLD",
        action="append",
        default=[],
        help="use only the clips of this fold; may be repeated",
    )
    parser.add_argument(
        "--exclude",
        metavar="CLASS",
        action="append",
        default=[],
        help="use no clip of this class; may be repeated",
    )
    parser.add_argument(
        "--count", type=whole(1, 9999), default=1, metavar="N", help="number of recordings (default 1)"
    )
    parser.add_argument(
        "--seconds",
        type=number(20, 36000),
        default=300.0,
        metavar="S",
        help="length of each recording (default 300)",
    )
    parser.add_argument(
        "--background",
        default="pink",
        metavar="WHAT",
        help="pink (default), white or brown noise; a recording or a folder of recordings; or a class of the "
        "dataset, whose clips are then used for nothing else",
    )
    parser.add_argument(
        "--background-dbfs",
        type=number(-100, 0),
        default=-50.0,
        metavar="DB",
        help="level of the background in dBFS (default -50)",
    )
    parser.add_argument(
        "--snr",
        nargs=2,
        type=number(-60, 100),
        default=(6.0, 30.0),
        metavar=("LOW", "HIGH"),
        help="range of the sounds' level above the background in dB (default 6 30)",
    )
    parser.add_argument(
        "--pause",
        nargs=2,
        type=number(0, 600),
        default=(1.0, 8.0),
        metavar=("LOW", "HIGH"),
        help="range of the seconds from the end of a sound to the next sound (default 1 8)",
    )
    parser.add_argument(
        "--overlap",
        type=number(0, 1, "a share"),
        default=0.2,
        metavar="SHARE",
        help="share of sounds, 0 to 1, that are placed inside another sound (default 0.2)",
    )
    parser.add_argument(
        "--reverb",
        type=number(0, 600),
        default=0.0,
        metavar="S",
        help="reverberation time: seconds until a sound has decayed by 60 dB (default 0: no reverberation)",
    )
    parser.add_argument(
        "--rate", type=whole(8000, 192000), default=32000, metavar="HZ", help="sample rate (default 32000)"
    )
    parser.add_argument(
        "--format", choices=("flac", "wav"), default="flac", help="file format (default flac)"
    )
    add_seed_flag(parser)


def read_request(options: argparse.Namespace) -> SoundscapeRequest:
    """Read what was asked for."""
    from detector.soundscapes.command import SoundscapeRequest
    from detector.soundscapes.plan import SoundscapeRules

    return SoundscapeRequest(
        clips=options.clips,
        out=options.out,
        rules=SoundscapeRules(
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


def execute(request: SoundscapeRequest, _options: SettingOptions) -> int:
    """Make the recordings."""
    from detector.soundscapes.command import soundscape

    return soundscape(request)


def _ordered(pair: tuple[float, float]) -> tuple[float, float]:
    return min(pair), max(pair)


COMMAND = Command(
    name="soundscape",
    summary="mix clips over a background into recordings with annotations",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
