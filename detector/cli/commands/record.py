"""`sound-detector record`: collect clips of a sound, to train a model with."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.number_arguments import number, whole
from detector.cli.path_arguments import path
from detector.cli.setting_flags import add_config_flags, add_device_flag
from detector.cli.setting_options import SettingOptions
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.collecting.record_request import RecordRequest
    from detector.interfaces import Source

BACKGROUND = "background"
"""The class that holds what is no event; `train` knows it by this name."""
CLIP_SECONDS = 3.0
LONGEST_SECONDS = 10.0
"""Of a triggered clip."""

EXAMPLES = """\
examples:
  sound-detector record doorbell               10 clips of 3 s, with countdown
  sound-detector record doorbell --triggered   a clip of every sound it hears
  sound-detector record background             3 minutes of other sounds
  sound-detector record doorbell --triggered --input party.flac
then train a model:
  sound-detector train sounds --out models/doorbell
"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags, in groups."""
    parser.add_argument(
        "label",
        metavar="LABEL",
        nargs="?",
        help="name of the sound; the clips are written to DIR/LABEL. The label `background` is for sounds "
        "that must cause no event",
    )
    how = parser.add_argument_group("how to record clips")
    modes = how.add_mutually_exclusive_group()
    modes.add_argument(
        "--triggered",
        action="store_true",
        help="record a clip of every sound louder than the room, with 0.5 s before and after it",
    )
    modes.add_argument(
        "--background",
        metavar="MINUTES",
        type=number(0.05, 600),
        help="record the room for this many minutes, without a countdown (default 3 if LABEL is background)",
    )
    how.add_argument(
        "--count",
        metavar="N",
        type=whole(1, 9999),
        help="number of clips to keep (default 10; from a recording: all)",
    )
    how.add_argument(
        "--seconds",
        metavar="S",
        type=number(0.5, 60),
        help="length of a clip (default 3); with --triggered the longest clip (default 10)",
    )
    how.add_argument(
        "--keep-all", action="store_true", help="also keep clips that are too quiet or distorted by clipping"
    )
    what = parser.add_argument_group("input and output")
    what.add_argument(
        "--out",
        metavar="DIR",
        type=path,
        default=Path("sounds"),
        help="folder of the dataset, with a folder for each label (default sounds)",
    )
    source = what.add_mutually_exclusive_group()
    add_device_flag(source)
    source.add_argument(
        "--input",
        dest="source.input",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="read a recording instead of a microphone; - reads raw 16-bit little-endian samples from "
        "standard input",
    )
    add_config_flags(parser)


def read_request(options: argparse.Namespace) -> RecordRequest:
    """Read what was asked for; raises ConfigError without a label, and where flags contradict."""
    from detector.collecting.record_request import RecordRequest, clips_in

    label, minutes = options.label, options.background
    if label is None:
        if minutes is None:
            raise ConfigError("expected LABEL, the name of the sound, as in: sound-detector record doorbell")
        label = BACKGROUND
    if minutes is not None and options.count is not None:
        raise ConfigError("--background MINUTES cannot be combined with --count: choose one of them")
    of_room = minutes is not None or (label == BACKGROUND and not options.triggered)
    seconds = options.seconds or (LONGEST_SECONDS if options.triggered else CLIP_SECONDS)
    return RecordRequest(
        label=label,
        dataset=options.out,
        mode="triggered" if options.triggered else "background" if of_room else "countdown",
        seconds=seconds,
        count=options.count if minutes is None else clips_in(minutes, seconds),
        keep_all=options.keep_all,
    )


def execute(request: RecordRequest, options: SettingOptions) -> int:
    """Collect clips."""
    from detector.assemble.endpoints import make_source
    from detector.collecting.command import record
    from detector.collecting.record_request import with_default_count

    wanted = replace(options.load().settings.source, name=None)

    def source(rate: int, block_length: int, /) -> Source:
        return make_source(wanted, sample_rate=rate, block_length=block_length)

    return record(with_default_count(request) if wanted.input is None else request, source)


COMMAND = Command(
    name="record",
    summary="collect clips of a sound, to train a model with",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
