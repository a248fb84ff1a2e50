"""Which microphones there are, and which one is meant.

Indices move between boots; a name, or a part of one, does not. `choose` is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from json import dumps
from typing import SupportsInt, cast

from detector.config.yamltext import parse, scalar
from detector.errors import DeviceAmbiguous, DeviceNotFound
from detector.files.quiet_stderr import quiet_stderr
from detector.files.terminal import escape
from detector.sources.portaudio import INT16, Audio, open_audio

PROBED_RATES_HZ = (8000, 16000, 22050, 32000, 44100, 48000)
"""Rates worth telling the user about."""


@dataclass(frozen=True, slots=True)
class Device:
    """One capture device."""

    index: int
    """PortAudio's number for it, until the next boot."""
    name: str
    default_rate: int
    """Hertz."""
    rates: tuple[int, ...]
    """Those of PROBED_RATES_HZ it takes with one channel; empty where nobody asked."""
    channels: int
    """The most it captures at once."""
    is_default: bool
    """The system's default capture device."""
    host_api: str
    """`ALSA`, `Core Audio`, ..."""


def capture_devices(audio: Audio, *, probe_rates: bool = False) -> tuple[Device, ...]:
    """List the devices that can capture, in order of index."""
    try:
        default = _integer(audio.get_default_input_device_info()["index"])
    except OSError:
        default = -1
    devices = []
    for index in range(audio.get_device_count()):
        info = audio.get_device_info_by_index(index)
        channels = _integer(info["maxInputChannels"])
        if channels < 1:
            continue
        api = audio.get_host_api_info_by_index(_integer(info["hostApi"]))
        devices.append(
            Device(
                index=index,
                name=str(info["name"]),
                default_rate=_integer(info["defaultSampleRate"]),
                rates=tuple(rate for rate in PROBED_RATES_HZ if probe_rates and takes(audio, index, rate, 1)),
                channels=channels,
                is_default=index == default,
                host_api=str(api["name"]),
            )
        )
    return tuple(devices)


def takes(audio: Audio, index: int, rate: int, channels: int) -> bool:
    """Whether the device claims to capture int16 at this rate and channel count."""
    try:
        with quiet_stderr():
            return audio.is_format_supported(
                rate, input_device=index, input_channels=channels, input_format=INT16
            )
    except (ValueError, OSError):
        return False


def list_devices(audio_factory: Callable[[], Audio] = open_audio) -> tuple[Device, ...]:
    """Look afresh, rates included; raises SourceError where PyAudio is missing."""
    audio = audio_factory()
    try:
        return capture_devices(audio, probe_rates=True)
    finally:
        audio.terminate()


def choose(devices: Sequence[Device], wanted: int | str | None) -> Device:
    """Find the device with this index, name or part of a name, None for the default.

    Case does not matter; an exact name wins over parts; digits alone are an index unless a name
    equals them. Raises DeviceNotFound, and DeviceAmbiguous where several match.
    """
    if not devices:
        raise DeviceNotFound("no microphone found; plug one in, or read a recording or a pipe with --input")
    if wanted is None:
        return next((device for device in devices if device.is_default), devices[0])
    exact = [device for device in devices if device.name.casefold() == str(wanted).casefold().strip()]
    if isinstance(wanted, str) and not exact and wanted.strip().lstrip("-").isdecimal():
        wanted = int(wanted)
    if isinstance(wanted, int):
        found = [device for device in devices if device.index == wanted]
        what = f"index {wanted}"
    else:
        part = wanted.casefold().strip()
        found = exact or [device for device in devices if part and part in device.name.casefold()]
        what = f"{wanted!r} in its name"
    if len(found) == 1:
        return found[0]
    if found:
        raise DeviceAmbiguous(
            f"several microphones have {what}: {_named(found)}; give more of the name, or the index"
        )
    raise DeviceNotFound(f"no microphone has {what}; expected one of {_named(devices)}")


def devices_command(
    wanted: int | str | None = None,
    json: bool = False,
    *,
    audio_factory: Callable[[], Audio] = open_audio,
    write: Callable[[str], object] = print,
) -> int:
    """Print the capture devices, marking the one that `wanted` means; return the exit status.

    Raises DeviceNotFound, after the table, where `wanted` means none of them or several.
    """
    devices = list_devices(audio_factory)
    if json:
        used = _chosen_or_none(devices, wanted)
        write(dumps([{**asdict(device), "used": device == used} for device in devices], indent=2))
        return 0
    for line in table(devices, _chosen_or_none(devices, wanted)):
        write(line)
    used = choose(devices, wanted)
    name = scalar(used.name)
    name = name if name.startswith('"') else f'"{name}"'
    # An index moves between boots; an exact name is meant even where it is a part of another one.
    by_name = _chosen_or_none(devices, used.name) == used and parse(name, mapping=False)[0].data == used.name
    write("")
    write(f"* is used. In config.yaml:  source: {{device: {name if by_name else used.index}}}")
    return 0


def table(devices: Sequence[Device], used: Device | None) -> list[str]:
    """Lay the devices out in aligned columns, a star before the one that is used."""
    if not devices:
        return []
    rows = [("", "index", "name", "channels", "default Hz", "usable rates [Hz]", "through")]
    for device in devices:
        rows.append(
            (
                "*" if device == used else "",
                str(device.index),
                escape(device.name) + (" (default)" if device.is_default else ""),
                str(device.channels),
                str(device.default_rate),
                " ".join(map(str, device.rates)) or "none of the usual",
                device.host_api,
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _chosen_or_none(devices: Sequence[Device], wanted: int | str | None) -> Device | None:
    try:
        return choose(devices, wanted)
    except DeviceNotFound:
        return None


def _named(devices: Sequence[Device]) -> str:
    return ", ".join(f"{device.index} {device.name!r}" for device in devices)


def _integer(value: object) -> int:
    """PortAudio gives rates as floats, and everything in one dictionary."""
    return int(cast(SupportsInt, value))
