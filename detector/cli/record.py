"""The grammar of `record`, and what it asks for as plain values."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from detector.cli.number_arguments import number, whole
from detector.cli.setting_flags import add_config_flags, add_device_flag
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.collecting.request import Request

BACKGROUND = "background"
"""The class that holds what is no event; `train` knows it by this name."""
BACKGROUND_MINUTES = 3.0
COUNT = 10
CLIP_SECONDS = 3.0
LONGEST_SECONDS = 10.0
"""Of a triggered clip."""

EXAMPLES = """\
examples:
  sound-detector record doorbell                    10 clips of 3 s, each after a countdown
  sound-detector record doorbell --triggered        no countdown: each sound that is heard, as long as it is
  sound-detector record background                  3 minutes of the room without it
  sound-detector record doorbell --triggered --input party.flac      cut a recording into clips
  sound-detector train sounds --out models/doorbell                  then teach it
"""


def add_record_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of `record`."""
    parser.add_argument(
        "label",
        metavar="LABEL",
        nargs="?",
        help="what the sound is called; the clips go to DIR/LABEL (background: what is no event)",
    )
    how = parser.add_argument_group("how to take clips")
    modes = how.add_mutually_exclusive_group()
    modes.add_argument(
        "--triggered", action="store_true", help="take every sound that stands out, with 0.5 s around it"
    )
    modes.add_argument(
        "--background",
        metavar="MINUTES",
        type=number(0.05, 600),
        help="cut so much of the room into clips, without a countdown (LABEL background: 3)",
    )
    how.add_argument(
        "--count", metavar="N", type=whole(1, 9999), help="clips to keep (default 10; of a recording: all)"
    )
    how.add_argument(
        "--seconds",
        metavar="S",
        type=number(0.5, 60),
        help="length of a clip (default 3); of a triggered one the most (default 10)",
    )
    how.add_argument("--keep-all", action="store_true", help="keep also clips that are too quiet or clipped")
    what = parser.add_argument_group("where from and where to")
    what.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("sounds"), help="the dataset (default sounds)"
    )
    source = what.add_mutually_exclusive_group()
    add_device_flag(source)
    source.add_argument(
        "--input",
        dest="source.input",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="a recording instead of a microphone, or - for raw s16le on standard input",
    )
    add_config_flags(parser)


def record_request(options: argparse.Namespace, *, live: bool) -> Request:
    """What `record` was asked for; `live` says that the source is none that ends. Raises ConfigError."""
    from detector.collecting.request import Request

    label, minutes = options.label, options.background
    if label is None:
        if minutes is None:
            raise ConfigError(
                "expected LABEL, what the sound is called, as in: sound-detector record doorbell"
            )
        label = BACKGROUND
    if minutes is None and label == BACKGROUND and not options.triggered and options.count is None and live:
        minutes = BACKGROUND_MINUTES
    if minutes is not None and options.count is not None:
        raise ConfigError("--background MINUTES and --count: choose one of them")
    of_room = minutes is not None or (label == BACKGROUND and not options.triggered)
    seconds = options.seconds or (LONGEST_SECONDS if options.triggered else CLIP_SECONDS)
    count = options.count
    if minutes is not None:
        count = max(1, round(minutes * 60 / seconds))
    elif count is None and live:
        count = COUNT
    return Request(
        label=label,
        dataset=options.out,
        mode="triggered" if options.triggered else "background" if of_room else "countdown",
        seconds=seconds,
        count=count,
        keep_all=options.keep_all,
    )
