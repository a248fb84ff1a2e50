"""The command line's grammar: commands, flags, help."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TypeAlias

from detector import __version__
from detector.cli.analyze import EXAMPLES as ANALYZE_EXAMPLES
from detector.cli.analyze import add_analyze_flags
from detector.cli.calibrate import EXAMPLES as CALIBRATE_EXAMPLES
from detector.cli.calibrate import add_calibrate_flags
from detector.cli.connection import add_connection_flags
from detector.cli.evaluate import EVALUATE_EXAMPLES, SOUNDSCAPE_EXAMPLES, add_evaluate, add_soundscape
from detector.cli.events import HISTORY_EXAMPLES, LISTEN_EXAMPLES, add_history_flags, add_listen_flags
from detector.cli.models import EXAMPLES as MODELS_EXAMPLES
from detector.cli.models import add_models
from detector.cli.record import EXAMPLES as RECORD_EXAMPLES
from detector.cli.record import add_record_flags
from detector.cli.setting_flags import add_setting_flags, device
from detector.cli.train import EXAMPLES as TRAIN_EXAMPLES
from detector.cli.train import add_train_flags

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

RUN_EXAMPLES = """\
examples:
  sound-detector                                listen to the default microphone
  sound-detector --device 1                     listen to device 1 (see: sound-detector devices)
  sound-detector --device "USB Audio"           the device with this in its name
  sound-detector --input party.wav              read a recording as fast as possible
  arecord -q -f S16_LE -r 16000 -t raw | sound-detector --input - --rate 16000
  sound-detector --include Dog --include "Baby cry, infant cry" --preset sure
  sound-detector --sink stdout --sink log:events.jsonl --sink socket:tcp://127.0.0.1:8765
"""

EXAMPLES = """\
examples:
  sound-detector                    listen; `run` is meant where no command is named
  sound-detector --device 1         the same with flags of `run`: sound-detector run --help
  sound-detector devices            which microphones there are
  sound-detector listen             events of a daemon that runs already
  sound-detector status             how it is
  sound-detector models pull yamnet  bring the default model to this machine
"""


DEVICES_EXAMPLES = """\
examples:
  sound-detector devices                        all that there are; * marks the one that would be used
  sound-detector devices --device usb           the one that a part of a name means
  sound-detector --device "USB Audio"           then listen to it
"""

STATUS_EXAMPLES = """\
examples:
  sound-detector status                         of your own daemon, else of the service
  sound-detector status --json                  for a script
  sound-detector status tls://pi.local:8765 --token-file token --ca pi.pem
"""

CHECK_EXAMPLES = """\
examples:
  sound-detector check-config                   which file is used, and what it comes to
  sound-detector check-config --config new.yaml  every fault in it, with its line
  sound-detector check-config --model yamnet+doorbell --include Doorbell
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="sound-detector",
        description="Listens to a microphone and says, in real time, what it hears.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sound-detector {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _run(commands)
    _devices(commands)
    add_models(
        _command(commands, "models", "list, pull, verify or describe models", epilog=MODELS_EXAMPLES),
        lambda actions, name, text: _command(actions, name, text, epilog=MODELS_EXAMPLES),
    )
    add_listen_flags(
        _command(commands, "listen", "subscribe to the events of a running daemon", epilog=LISTEN_EXAMPLES)
    )
    _status(commands)
    add_history_flags(
        _command(commands, "history", "show what was heard, one row for each sound", epilog=HISTORY_EXAMPLES)
    )
    add_analyze_flags(
        _command(
            commands, "analyze", "turn recordings into events, tables and pictures", epilog=ANALYZE_EXAMPLES
        )
    )
    add_evaluate(
        _command(
            commands, "evaluate", "measure how good it is on labelled recordings", epilog=EVALUATE_EXAMPLES
        )
    )
    add_soundscape(
        _command(
            commands, "soundscape", "mix clips into recordings with known truth", epilog=SOUNDSCAPE_EXAMPLES
        )
    )
    add_train_flags(
        _command(commands, "train", "teach it new sounds from folders of clips", epilog=TRAIN_EXAMPLES)
    )
    add_record_flags(
        _command(commands, "record", "collect clips of a sound, to teach it with", epilog=RECORD_EXAMPLES)
    )
    add_calibrate_flags(
        _command(
            commands,
            "calibrate",
            "find thresholds at which a room stays silent, while nothing of interest happens in it",
            epilog=CALIBRATE_EXAMPLES,
        )
    )
    _check_config(commands)
    return parser


def with_command(arguments: Sequence[str]) -> list[str]:
    """Put `run` in front where no command is named."""
    arguments = list(arguments)
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        return ["run", *arguments]
    return arguments


def _command(commands: Subparsers, name: str, text: str, *, epilog: str = "") -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "-v", "--verbose", action="count", default=0, help="more log lines; twice: also tracebacks"
    )
    return parser


def _run(commands: Subparsers) -> None:
    parser = _command(
        commands, "run", "listen and tell events; the command that is meant by none", epilog=RUN_EXAMPLES
    )
    add_setting_flags(parser)
    output = parser.add_argument_group("output")
    output.add_argument("-q", "--quiet", action="store_true", help="log warnings and errors only")
    output.add_argument("--print-completion", metavar="SHELL", help=argparse.SUPPRESS)


def _devices(commands: Subparsers) -> None:
    parser = _command(
        commands, "devices", "list the microphones and which one would be used", epilog=DEVICES_EXAMPLES
    )
    parser.add_argument(
        "--device",
        metavar="DEVICE",
        type=device,
        help="which one this would mean (default: that of the system)",
    )
    parser.add_argument("--json", action="store_true", help="as a JSON list")


def _status(commands: Subparsers) -> None:
    parser = _command(commands, "status", "say how a running daemon is", epilog=STATUS_EXAMPLES)
    add_connection_flags(parser)
    parser.add_argument("--json", action="store_true", help="as a JSON object")


def _check_config(commands: Subparsers) -> None:
    parser = _command(
        commands,
        "check-config",
        "print the effective settings, or every fault with its line",
        epilog=CHECK_EXAMPLES,
    )
    add_setting_flags(parser)
