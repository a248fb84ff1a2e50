"""The board that figures come from: its name, its clock, how hot it is, and whether it was slowed down.

Only what a kernel shows in /proc and /sys, and what Raspberry Pi's `vcgencmd` says where it is installed.
Nothing of it names the machine, its user or its owner.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

THROTTLED = {
    0: "too little voltage now",
    1: "frequency capped now",
    2: "throttled now",
    3: "soft temperature limit now",
    16: "too little voltage since boot",
    17: "frequency capped since boot",
    18: "throttled since boot",
    19: "soft temperature limit since boot",
}
"""Bits of `vcgencmd get_throttled` (Raspberry Pi's documentation of vcgencmd)."""


def board(root: Path = Path("/")) -> str:
    """Name of the board from the device tree; empty on machines without one, such as a PC."""
    return _text(root / "proc/device-tree/model").rstrip("\0")


def clock(root: Path = Path("/")) -> str:
    """The first core's highest frequency and its governor; empty where the kernel does not say."""
    folder = root / "sys/devices/system/cpu/cpu0/cpufreq"
    highest, governor = _text(folder / "cpuinfo_max_freq"), _text(folder / "scaling_governor")
    return f"{int(highest) / 1000:.0f} MHz at most, governor {governor}" if highest.isdigit() else ""


def ask_vcgencmd() -> str:
    """What `vcgencmd get_throttled` says; empty where it is not there or does not answer."""
    if shutil.which("vcgencmd") is None:
        return ""
    try:
        done = subprocess.run(
            ["vcgencmd", "get_throttled"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def heat(root: Path = Path("/"), ask: Callable[[], str] = ask_vcgencmd) -> str:
    """Temperature and, on a Raspberry Pi, whether it was slowed down; empty where neither is known."""
    measured = _text(root / "sys/class/thermal/thermal_zone0/temp")
    parts = [f"{int(measured) / 1000:.0f} °C"] if measured.lstrip("-").isdigit() else []
    return ", ".join([*parts, *throttling(ask())])


def throttling(answer: str) -> list[str]:
    """What an answer such as `throttled=0x50000` means, in words; nothing for another text."""
    name, _, number = answer.strip().partition("=")
    try:
        bits = int(number, 16)
    except ValueError:
        return []
    if name != "throttled":
        return []
    return [text for bit, text in THROTTLED.items() if bits >> bit & 1] or ["never throttled since boot"]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
