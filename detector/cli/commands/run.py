"""`sound-detector run`: listen, and report events until the sound ends or a signal comes."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from detector.cli.command import Command
from detector.cli.setting_flags import add_setting_flags
from detector.cli.setting_options import SettingOptions
from detector.cli.shared_flags import add_quiet_flag

if TYPE_CHECKING:
    from detector.config.loading import Loaded
    from detector.sinks.stdout import StdoutFormat

EXAMPLES = """\
examples:
  sound-detector                          listen to the default microphone
  sound-detector --device 1               listen to microphone 1
  sound-detector --device "USB Audio"     the microphone with this in its name
  sound-detector --input party.wav        read a recording, as fast as possible
  arecord -q -f S16_LE -r 16000 -t raw | sound-detector --input - --rate 16000
  sound-detector --include Dog --include "Baby cry, infant cry" --preset quiet
  sound-detector --sink log:events.jsonl --sink socket:tcp://127.0.0.1:8765
`sound-detector devices` lists the microphones and their numbers.
"""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What `run` is asked for, besides settings."""

    stdout_format: StdoutFormat | None = None
    """None leaves it to the settings."""
    status_line: bool | None = None
    """The same for the line that shows level, gate and last sound on a terminal."""
    verbose: bool = False


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add its flags, in groups."""
    add_setting_flags(
        parser,
        format_help="format of events on standard output; auto (default) is text on a terminal "
        "and JSON lines elsewhere",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--no-status-line",
        action="store_true",
        help="on a terminal, do not show level, gate and last sound while nothing is reported",
    )
    add_quiet_flag(output, "log only warnings and errors")
    output.add_argument("--print-completion", metavar="SHELL", help=argparse.SUPPRESS)


def read_request(options: argparse.Namespace) -> RunRequest:
    """Read what was asked for."""
    return RunRequest(
        stdout_format=options.format,
        status_line=False if options.no_status_line else None,
        verbose=options.verbose > 0,
    )


def execute(request: RunRequest, options: SettingOptions) -> int:
    """Run the daemon to its end."""
    from detector.service.hangups import HANGUPS

    HANGUPS.hold()  # what follows takes a second

    from detector.assemble.endpoints import with_stdout
    from detector.assemble.service import make_daemon, showing_a_wait
    from detector.cli.logs import limit_repeated_lines
    from detector.service.signals import run_with_signals
    from detector.service.systemd import Notifier
    from detector.service.waiting import until_made

    def load() -> Loaded:
        loaded = options.load()
        settings = with_stdout(loaded.settings, format=request.stdout_format, status_line=request.status_line)
        return replace(loaded, settings=settings)

    limit_repeated_lines()
    daemon = until_made(
        partial(make_daemon, load, verbose=request.verbose),
        notifier=Notifier(os.environ),
        show=partial(showing_a_wait, load),
    )
    run_with_signals(daemon, HANGUPS)
    return 0


COMMAND = Command(
    name="run",
    summary="listen and report events; this is the default command",
    examples=EXAMPLES,
    add_flags=add_flags,
    request=read_request,
    execute=execute,
)
