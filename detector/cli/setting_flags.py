"""The flags that set what config.yaml sets, for `run`, `check-config` and `analyze`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping


def add_setting_flags(parser: argparse.ArgumentParser) -> None:
    """Add them, in groups, to a command's parser."""
    _add_source_flags(parser)
    add_hearing_flags(parser)
    _add_sink_flags(parser)
    add_config_flags(parser)


def _add_source_flags(parser: argparse.ArgumentParser) -> None:
    source = parser.add_argument_group("what to listen to")
    add_device_flag(source)
    _flag(
        source,
        "--input",
        "source.input",
        metavar="FILE",
        help="a recording (WAV, FLAC, OGG, MP3), or - for raw s16le on standard input",
    )
    source.add_argument("--demo", action="store_true", help="play the bundled recording in real time")
    _flag(
        source, "--realtime", "source.realtime", action="store_true", help="play a recording at its own speed"
    )
    _flag(
        source,
        "--rate",
        "source.rate",
        metavar="HZ",
        type=_number,
        help="sample rate of raw standard input (default 16000)",
    )
    _flag(
        source,
        "--channels",
        "source.channels",
        metavar="N",
        type=_number,
        help="channels of raw standard input (default 1)",
    )
    _flag(source, "--name", "source.name", metavar="NAME", help="what events call the source")


def add_device_flag(group: argparse._ActionsContainer) -> None:
    """Add the one that names a microphone."""
    _flag(
        group,
        "--device",
        "source.device",
        metavar="DEVICE",
        type=device,
        help="index, name or part of the name of a microphone",
    )


def add_hearing_flags(parser: argparse.ArgumentParser) -> None:
    """Add those that decide which events a sound has."""
    hearing = parser.add_argument_group("how to hear")
    _flag(
        hearing,
        "--model",
        "model.name",
        metavar="NAME",
        help="a model's name or the folder of one (default yamnet)",
    )
    _flag(hearing, "--runtime", "model.runtime", metavar="RUNTIME", help="tflite, onnx or auto (default)")
    _flag(hearing, "--gate", "gate.mode", metavar="MODE", help="both (default), webrtcvad, level or off")
    _flag(
        hearing,
        "--hop",
        "windows.hop_seconds",
        metavar="SECONDS",
        type=_number,
        help="how often a window is classified (default 0.24)",
    )
    _flag(hearing, "--no-gain", "level.enabled", action="store_false", help="leave quiet sound as it is")

    events = parser.add_argument_group("what to report")
    _flag(events, "--preset", "events.preset", metavar="NAME", help="responsive, balanced (default) or sure")
    _flag(
        events,
        "--threshold",
        "events.threshold_on",
        metavar="SCORE",
        type=_number,
        help="score 0..1 that starts an event (default: the model's)",
    )
    _flag(
        events,
        "--include",
        "events.include",
        metavar="LABEL",
        action="append",
        help="report only this label; again for more",
    )
    _flag(
        events,
        "--exclude",
        "events.exclude",
        metavar="LABEL",
        action="append",
        help="do not report this label; again for more",
    )
    _flag(
        events,
        "--background",
        "events.background",
        action="store_true",
        help="also report Silence, Inside, Noise and the like",
    )


def _add_sink_flags(parser: argparse.ArgumentParser) -> None:
    sinks = parser.add_argument_group("where events go")
    _flag(
        sinks,
        "--sink",
        "sinks",
        metavar="SINK",
        action="append",
        help="stdout, log:PATH, socket, socket:unix://PATH or socket:tcp://HOST:PORT; again for more",
    )
    sinks.add_argument(
        "--format",
        choices=("text", "json", "auto"),
        help="of stdout; auto is text on a terminal and JSON elsewhere",
    )


def add_config_flags(parser: argparse.ArgumentParser) -> None:
    """Add those that reach all settings."""
    settings = parser.add_argument_group("settings")
    settings.add_argument(
        "--config",
        metavar="FILE",
        help="a config.yaml; else $SOUND_DETECTOR_CONFIG, the user's, /etc/sound-detector/config.yaml",
    )
    settings.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="set_expressions",
        help="any setting of config.yaml: --set events.release_seconds=2",
    )


def overrides(options: argparse.Namespace) -> Mapping[str, object]:
    """The settings that flags gave: dotted key -> value."""
    return {key: value for key, value in vars(options).items() if "." in key or key == "sinks"}


def _flag(
    group: argparse._ActionsContainer,
    name: str,
    key: str,
    help: str,
    *,
    metavar: str | None = None,
    type: Callable[[str], object] | None = None,
    action: str = "store",
) -> None:
    """A flag that sets the setting `key`; it is absent from the result unless it was given."""
    takes: dict[str, object] = {"metavar": metavar} if metavar else {}
    if type is not None:
        takes["type"] = type
    group.add_argument(name, dest=key, help=help, action=action, default=argparse.SUPPRESS, **takes)  # type: ignore[arg-type]


def device(text: str) -> int | str:
    """An index where it is a number, else a name."""
    return int(text) if text.lstrip("-").isdigit() else text


def _number(text: str) -> object:
    """A number where it is one; else the text itself, so that the settings' own check can explain."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
