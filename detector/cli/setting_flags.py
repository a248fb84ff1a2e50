"""The flags that set what config.yaml sets; their names in the result are dotted keys of settings."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

FLAGS: Mapping[str, str] = {
    "source.input": "--input",
    "source.realtime": "--realtime",
    "source.rate": "--rate",
    "source.channels": "--channels",
    "source.name": "--name",
    "source.device": "--device",
    "sources": "--source",
    "model.name": "--model",
    "model.runtime": "--runtime",
    "gate.mode": "--gate",
    "windows.hop_seconds": "--hop",
    "level.enabled": "--no-gain",
    "events.preset": "--preset",
    "events.threshold_on": "--threshold",
    "events.include": "--include",
    "events.exclude": "--exclude",
    "events.background": "--background",
    "sinks": "--sink",
    "clips.folder": "--clips",
}
"""Setting -> the flag that sets it."""


def add_setting_flags(parser: argparse.ArgumentParser, *, format_help: str) -> None:
    """Add all of them, in groups; `format_help` says what --format is about."""
    _add_source_flags(parser)
    add_classifying_flags(parser)
    _add_sink_flags(parser, format_help=format_help)
    add_config_flags(parser)


def _add_source_flags(parser: argparse.ArgumentParser) -> None:
    source = parser.add_argument_group("what to listen to")
    add_device_flag(source)
    _flag(
        source,
        "source.input",
        metavar="FILE",
        help="read a recording (WAV, FLAC, OGG, MP3; with ffmpeg also films) instead of a microphone; "
        "- reads raw 16-bit little-endian samples from standard input",
    )
    source.add_argument(
        "--source",
        dest="named_sources",
        metavar="NAME=SOUND",
        action="append",
        default=argparse.SUPPRESS,
        help="listen to several sources, each with a name; SOUND is mic, mic:DEVICE, file:PATH, pipe:PATH, "
        "an address such as rtsp://HOST/PATH, or url-file:PATH for one with a password; may be repeated",
    )
    source.add_argument("--demo", action="store_true", help="play the bundled recording in real time")
    _flag(
        source,
        "source.realtime",
        action="store_true",
        help="play a recording in real time instead of as fast as possible",
    )
    _flag(
        source,
        "source.rate",
        metavar="HZ",
        type=_number,
        help="sample rate of the samples on standard input (default 16000)",
    )
    _flag(
        source,
        "source.channels",
        metavar="N",
        type=_number,
        help="number of channels on standard input (default 1)",
    )
    _flag(
        source,
        "source.name",
        metavar="NAME",
        help="name of the source in events (default: the name of the device or file)",
    )


def add_device_flag(group: argparse._ActionsContainer) -> None:
    """Add the flag that names a microphone."""
    _flag(
        group,
        "source.device",
        metavar="DEVICE",
        type=device_argument,
        help="microphone to use: its index, its name or a part of its name",
    )


def add_classifying_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that decide which events a sound has."""
    hearing = parser.add_argument_group("how to classify")
    _flag(
        hearing,
        "model.name",
        metavar="NAME",
        help="name or folder of the model (default yamnet+mn04; yamnet costs less); join several with +",
    )
    _flag(
        hearing,
        "model.runtime",
        metavar="RUNTIME",
        help="what runs the model: tflite, onnx or auto (default)",
    )
    _flag(
        hearing,
        "gate.mode",
        metavar="MODE",
        help="which detectors decide that there is sound to classify: both (default), webrtcvad, level or "
        "off (classify everything)",
    )
    _flag(
        hearing,
        "windows.hop_seconds",
        metavar="SECONDS",
        type=_number,
        help="time from one classified window to the next (default 0.24)",
    )
    _flag(hearing, "level.enabled", action="store_false", help="do not amplify quiet sound")

    events = parser.add_argument_group("what to report")
    _flag(
        events,
        "events.preset",
        metavar="NAME",
        help="alert (misses the fewest sounds), home (default) or quiet (reports the fewest wrong events)",
    )
    _flag(
        events,
        "events.threshold_on",
        metavar="SCORE",
        type=_number,
        help="score from 0 to 1 at which an event starts (default: the threshold of the model)",
    )
    _flag(
        events,
        "events.include",
        metavar="LABEL",
        action="append",
        help="report only this label or group (`models groups` lists them); may be repeated",
    )
    _flag(
        events,
        "events.exclude",
        metavar="LABEL",
        action="append",
        help="do not report this label or group; may be repeated",
    )
    _flag(
        events,
        "events.background",
        action="store_true",
        help="also report background labels such as Silence, Noise and Inside",
    )


def _add_sink_flags(parser: argparse.ArgumentParser, *, format_help: str) -> None:
    sinks = parser.add_argument_group("where events go")
    _flag(
        sinks,
        "sinks",
        metavar="SINK",
        action="append",
        help="where to send events: stdout, log:PATH, socket, socket:unix://PATH, socket:tcp://HOST:PORT, "
        "mqtt://HOST or mqtts://HOST; may be repeated "
        "(default: stdout, and unless --input is a file, socket)",
    )
    _flag(
        sinks,
        "clips.folder",
        metavar="FOLDER",
        help="keep the sound around events in this folder, unless there is speech in it (docs/clips.md)",
    )
    sinks.add_argument(
        "--format",
        choices=("text", "json", "auto"),
        help=format_help,
    )


def add_config_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that reach every setting."""
    settings = parser.add_argument_group("settings")
    settings.add_argument(
        "--config",
        metavar="FILE",
        help="file with settings (default: $SOUND_DETECTOR_CONFIG, or else "
        "~/.config/sound-detector/config.yaml, or else /etc/sound-detector/config.yaml)",
    )
    settings.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="set_expressions",
        help="set any setting of config.yaml, for example --set events.release_seconds=2; may be repeated",
    )


def _flag(
    group: argparse._ActionsContainer,
    key: str,
    help: str,
    *,
    metavar: str | None = None,
    type: Callable[[str], object] | None = None,
    action: str = "store",
) -> None:
    """Add the flag that sets the setting `key`; it is absent from the result unless it was given."""
    takes: dict[str, object] = {"metavar": metavar} if metavar else {}
    if type is not None:
        takes["type"] = type
    group.add_argument(FLAGS[key], dest=key, help=help, action=action, default=argparse.SUPPRESS, **takes)  # type: ignore[arg-type]


def device_argument(text: str) -> int | str:
    """Read a microphone: an index where it is a number, else a name."""
    return int(text) if text.lstrip("-").isdigit() else text


def _number(text: str) -> object:
    """A number where it is one; else the text itself, so that the settings' own check can explain."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
