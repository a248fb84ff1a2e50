"""The grammar of `sound-detector calibrate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from detector.cli.number_arguments import number
from detector.cli.setting_flags import add_config_flags, add_device_flag, add_hearing_flags

ALARMS = ("limit", "raise", "keep")
"""Those of `detector.calibration.proposal.Alarms`."""
DEFAULT_MINUTES = 5.0

EXAMPLES = """\
examples:
  sound-detector calibrate --out calibrated.yaml         listen to the default microphone for 5 minutes
  sound-detector calibrate --device 1 --minutes 30 --out calibrated.yaml
  sound-detector calibrate --input night.flac --input day.flac --out calibrated.yaml
  sound-detector calibrate --config my.yaml --out my.yaml --overwrite
  sound-detector calibrate --keep Dog --alarms keep      print the settings instead
  sound-detector --config calibrated.yaml                and then listen with them
"""


WEEK = 7 * 24 * 60
"""Minutes."""


def add_calibrate_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags, in groups."""
    room = parser.add_argument_group("the room")
    add_device_flag(room)
    room.add_argument(
        "--input",
        dest="inputs",
        metavar="FILE",
        action="append",
        default=[],
        help="a recording of the room, or - for raw s16le on standard input; again for more",
    )
    room.add_argument(
        "--minutes",
        metavar="N",
        type=number(1, WEEK, "minutes"),
        help=f"how long to listen (default {DEFAULT_MINUTES:.0f}; a recording: all of it)",
    )
    output = parser.add_argument_group("what to write")
    output.add_argument(
        "--out", metavar="FILE", type=Path, help="the config file to write (default: standard output)"
    )
    output.add_argument("--overwrite", action="store_true", help="also where FILE exists")
    output.add_argument(
        "--keep",
        metavar="LABEL",
        action="append",
        default=[],
        help="never touch this label, as it sounded meanwhile or matters too much; again for more",
    )
    output.add_argument(
        "--alarms",
        choices=ALARMS,
        default=ALARMS[0],
        help="labels of alarms (sirens, smoke, glass, shots, screams, babies, dogs): limit raises them to "
        "0.5 at most and excludes none (default), raise treats them like others, keep leaves them alone",
    )
    output.add_argument("-q", "--quiet", action="store_true", help="no progress, only what was found")
    add_hearing_flags(parser)
    add_config_flags(parser)
