"""`sound-detector calibrate`: thresholds that fit a room."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.number_arguments import number
from detector.cli.path_arguments import path
from detector.cli.setting_flags import add_classifying_flags, add_config_flags, add_device_flag
from detector.cli.setting_options import SettingOptions
from detector.cli.shared_flags import add_overwrite_flag, add_quiet_flag
from detector.errors import ConfigError

if TYPE_CHECKING:
    from detector.calibration.calibration_setup import CalibrateRequest

ALARMS = ("limit", "raise", "keep")
"""Those of `detector.calibration.proposal.Alarms`, named here so that the daemon need not load it."""
WEEK_MINUTES = 7 * 24 * 60

EXAMPLES = """\
examples:
  sound-detector calibrate --out calibrated.yaml
  sound-detector calibrate --device 1 --minutes 30 --out calibrated.yaml
  sound-detector calibrate --input night.flac --input day.flac --out room.yaml
  sound-detector calibrate --config my.yaml --out my.yaml --overwrite
  sound-detector calibrate --keep Dog --alarms keep     print the settings
then listen with the new settings:
  sound-detector --config calibrated.yaml
"""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags, in groups."""
    room = parser.add_argument_group("the room")
    add_device_flag(room)
    room.add_argument(
        "--input",
        dest="inputs",
        metavar="FILE",
        action="append",
        default=[],
        help="a recording of the room, or - for raw 16-bit little-endian samples on standard input; "
        "may be repeated",
    )
    room.add_argument(
        "--minutes",
        metavar="N",
        type=number(1, WEEK_MINUTES, "minutes"),
        help="how long to listen (default: 5 minutes, or to the end of a recording)",
    )
    output = parser.add_argument_group("what to write")
    output.add_argument(
        "--out", metavar="FILE", type=path, help="config file to write (default: standard output)"
    )
    add_overwrite_flag(output, "replace FILE if it exists")
    output.add_argument(
        "--keep",
        metavar="LABEL",
        action="append",
        default=[],
        help="never change this label, because you made this sound while it listened or because you must not "
        "miss it; may be repeated",
    )
    output.add_argument(
        "--alarms",
        choices=ALARMS,
        default=ALARMS[0],
        help="what to do with labels of alarms (sirens, smoke, glass, shots, screams, babies, dogs): "
        "limit (default) raises their thresholds to at most 0.5 and excludes none; raise treats them like "
        "other labels; keep leaves them unchanged",
    )
    add_quiet_flag(output, "show no progress, only the result")
    add_classifying_flags(parser)
    add_config_flags(parser)


def read_request(options: argparse.Namespace) -> CalibrateRequest:
    """Read what was asked for; raises ConfigError where inputs contradict each other."""
    from detector.calibration.calibration_setup import CalibrateRequest
    from detector.calibration.proposal import Alarms

    if "source.device" in options and options.inputs:
        raise ConfigError("--device cannot be combined with --input: choose one of them")
    if options.inputs.count("-") and len(options.inputs) > 1:
        raise ConfigError("--input - (standard input) cannot be combined with other inputs")
    return CalibrateRequest(
        inputs=tuple(options.inputs),
        keep=tuple(options.keep),
        seconds=None if options.minutes is None else 60 * options.minutes,
        out=options.out,
        overwrite=options.overwrite,
        alarms=Alarms(options.alarms),
        quiet=options.quiet,
    )


def execute(request: CalibrateRequest, options: SettingOptions) -> int:
    """Listen, and write settings."""
    from detector.assemble.calibration import calibrate_command

    return calibrate_command(request, options.load())


COMMAND = Command(
    name="calibrate",
    summary="find thresholds at which your room causes no events while nothing of interest happens",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
