"""Figures as text: tables, targets and by how much each was met, the machine that gave them."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median

from benchmarks.support.board import board, clock, heat

PACKAGES = ("numpy", "ai-edge-litert", "webrtcvad-wheels", "PyAudio", "soundfile", "soxr")


@dataclass(frozen=True, slots=True)
class Target:
    """Something that a figure must not exceed."""

    what: str
    limit: float
    unit: str
    value: float | None
    """None where it could not be measured here."""

    def row(self) -> list[str]:
        """What, limit, figure, and whether it was met and by how much."""
        figure = "not measured" if self.value is None else f"{self.value:.3g} {self.unit}"
        return [self.what, f"{self.limit:g} {self.unit}", figure, self.verdict()]

    def verdict(self) -> str:
        """Whether the limit was kept, and the share of it that was left or exceeded."""
        if self.value is None:
            return "–"
        share = abs(1 - self.value / self.limit)
        return f"met, {share:.0%} below" if self.value <= self.limit else f"**missed**, {share:.0%} above"


def table(rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * lines[0].count(" | ") + "---|", *lines[1:]]) + "\n"


def middle(values: Sequence[float], digits: int = 1) -> str:
    """Median and, in brackets, the least."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f})"


def machine() -> list[list[str]]:
    """Board, processor, system, interpreter and packages, as rows of a table; no name of machine or user."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    shown = [["board", board()], ["clock", clock()], ["temperature before the run", heat()]]
    return [
        ["the machine", ""],
        *(row for row in shown if row[1]),
        ["processor", f"{_processor()}, {cores} cores, {memory:.0f} GB"],
        ["system", f"{_system()}, Linux {platform.release()}, {platform.machine()}"],
        ["Python", platform.python_version()],
        ["packages", ", ".join(f"{name} {_version(name)}" for name in PACKAGES)],
        ["load before the run", f"{os.getloadavg()[0]:.1f} (mean of the last minute)"],
    ]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return names[0] if names else platform.processor() or "unknown"


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(absent)"


def with_kept_sections(text: str, before: str) -> str:
    """The new text with the sections of the earlier one that it does not have, ahead of its last section.

    They were measured by commands of their own.
    """
    heads = [part.partition("\n")[0] for part in _sections(text)]
    kept = [part for part in _sections(before)[1:] if part.partition("\n")[0] not in heads]
    *first, last = _sections(text)
    return "\n\n".join(part.strip() for part in (*first, *kept, last)) + "\n"


def _sections(text: str) -> list[str]:
    """What is ahead of the first heading `## `, and each section with its heading."""
    return re.split(r"^(?=## )", text, flags=re.MULTILINE)
