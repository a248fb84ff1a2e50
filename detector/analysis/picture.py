"""The picture of one recording: its spectrogram over the timeline of what was heard, as PNG."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from detector.analysis.overview import DYNAMIC_DB, Spectrogram
from detector.analysis.sounds import Sound
from detector.analysis.summary import Summary
from detector.analysis.tables import length_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 14
"""Labels in the timeline, those heard longest; the others share a last row."""

INK, FAINT, GRID = "#1f2933", "#7b8794", "#e4e7eb"
ROW_COLOURS = ("#2563a8", "#c2571a", "#2f855a", "#8e4585", "#b7791f", "#0f766e", "#b83280", "#5a67d8")
OTHERS_COLOUR = "#9aa5b1"

WIDTH_INCHES = 12.0
DPI = 130
SPECTROGRAM_INCHES, ROW_INCHES, MARGIN_INCHES = 2.6, 0.27, 1.15

MOST_COLUMNS = 1600
"""Of the spectrogram: about as many pixels are there for it."""

LEAST_SHARE = 1 / 700
"""Of the whole width: shorter bars would not be seen."""

TICKS_SECONDS = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800),
)
MOST_TICKS = 11

FREQUENCIES_HZ = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)


def draw(
    spectrogram: Spectrogram,
    sounds: Sequence[Sound],
    summary: Summary,
    *,
    title: str = "",
    zone: tzinfo | None = None,
) -> bytes:
    """Draw one recording; `zone` None is the machine's own. Needs matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    spectrogram = spectrogram.in_columns(MOST_COLUMNS)
    rows = timeline_rows(sounds, summary)
    low = max(1, len(rows)) * ROW_INCHES
    height = SPECTROGRAM_INCHES + low + MARGIN_INCHES
    figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    left, width = 0.17, 0.805
    lower = figure.add_axes((left, 0.5 / height, width, low / height))
    upper = figure.add_axes(
        (left, (0.5 + low + 0.1) / height, width, SPECTROGRAM_INCHES / height), sharex=lower
    )

    bands, columns = spectrogram.dbfs.shape
    top = spectrogram.top_dbfs
    upper.imshow(
        spectrogram.dbfs,
        aspect="auto",
        origin="lower",
        extent=(0, spectrogram.seconds, 0, bands),
        cmap="magma",
        vmin=top - DYNAMIC_DB,
        vmax=top,
        interpolation="nearest" if columns > 400 else "antialiased",
    )
    shown = [hz for hz in FREQUENCIES_HZ if hz <= spectrogram.edges_hz[-1]]
    places = np.interp(shown, spectrogram.edges_hz, np.arange(bands + 1))
    upper.set_yticks(places, [f"{hz} Hz" if hz < 1000 else f"{hz // 1000} kHz" for hz in shown])
    upper.tick_params(axis="x", bottom=False, labelbottom=False)

    _draw_rows(lower, rows, spectrogram.seconds)
    ticks, labels = time_axis(spectrogram.seconds, summary.start, zone)
    lower.set_xticks(ticks, labels)
    lower.set_xlim(0, spectrogram.seconds)
    for axes in (upper, lower):
        axes.tick_params(colors=FAINT, labelsize=8.5, length=0)
        for spine in axes.spines.values():
            spine.set_visible(False)
    lower.tick_params(axis="y", colors=INK, labelsize=9)
    head = 1 - 0.33 / height
    figure.text(left, head, _plain(title), fontsize=12.5, fontweight="bold", color=INK, ha="left")
    figure.text(left + width, head, heading(summary, zone), fontsize=9.5, color=FAINT, ha="right")

    return png_of(figure, dpi=DPI)


def png_of(figure: Figure, *, dpi: int) -> bytes:
    """A figure as PNG; letters that the font lacks become boxes, without a word about each."""
    png = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph", category=UserWarning)
        figure.savefig(png, format="png", dpi=dpi, facecolor="white", metadata={"Software": "sound-detector"})
    return png.getvalue()


def timeline_rows(sounds: Sequence[Sound], summary: Summary) -> list[tuple[str, list[Sound]]]:
    """Labels with their sounds, the longest heard first; the last row is of all others, if any."""
    ranked = [label for label, _ in summary.ranked()]
    named = ranked if len(ranked) <= MOST_ROWS + 1 else ranked[:MOST_ROWS]
    rows: dict[str, list[Sound]] = {label: [] for label in named}
    others: list[Sound] = []
    for sound in sounds:
        rows.get(sound.label, others).append(sound)
    return [*rows.items(), *([(f"{len(ranked) - len(named)} others", others)] if others else [])]


def time_axis(seconds: float, start: float | None, zone: tzinfo | None) -> tuple[list[float], list[str]]:
    """Where ticks are [s] and what they say: time of day where the start is known, else from 0."""
    step = next((s for s in TICKS_SECONDS if seconds / s <= MOST_TICKS), TICKS_SECONDS[-1])
    if start is None:
        ticks = np.arange(0, seconds + 1e-9, step)
        return list(ticks), [_since(float(tick), step, seconds) for tick in ticks]
    first = datetime.fromtimestamp(start, zone).astimezone(zone)
    # Whole steps of the local clock, which may lie half an hour beside UTC's.
    local = start + (first.utcoffset() or timedelta()).total_seconds()
    ticks = np.arange(-local % step, seconds + 1e-9, step)
    pattern = "%d %b %H:%M" if step >= 86400 else "%H:%M" if step >= 60 else "%H:%M:%S"
    return list(ticks), [
        datetime.fromtimestamp(start + float(tick), zone).strftime(pattern) for tick in ticks
    ]


def heading(summary: Summary, zone: tzinfo | None) -> str:
    """`2026-11-20 14:30:00  ·  1 h 52 min 10 s`."""
    length = length_text(summary.heard_seconds)
    if summary.start is None:
        return length
    return f"{datetime.fromtimestamp(summary.start, zone):%Y-%m-%d %H:%M:%S}  ·  {length}"


def _draw_rows(axes: Axes, rows: Sequence[tuple[str, list[Sound]]], seconds: float) -> None:
    from matplotlib.colors import to_rgba

    least = seconds * LEAST_SHARE
    for place, (_, sounds) in enumerate(rows):
        colour = OTHERS_COLOUR if place >= MOST_ROWS else ROW_COLOURS[place % len(ROW_COLOURS)]
        bars = [(sound.onset, max(sound.seconds, least)) for sound in sounds]
        shades = [to_rgba(colour, 0.35 + 0.65 * min(1.0, sound.top_score)) for sound in sounds]
        axes.axhline(place, color=GRID, linewidth=0.8, zorder=0)
        axes.broken_barh(bars, (place - 0.36, 0.72), facecolors=shades, linewidth=0)
    axes.set_ylim(max(1, len(rows)) - 0.45, -0.55)
    axes.set_yticks(range(len(rows)), [_plain(_short(label)) for label, _ in rows])
    if not rows:
        axes.text(seconds / 2, 0.2, "no events", ha="center", va="center", color=FAINT)


def _short(label: str) -> str:
    return label if len(label) <= 28 else label[:27] + "…"


def _plain(text: str) -> str:
    """No mathematics: a dollar is a dollar; and a question mark for each byte that is no text."""
    return text.encode("utf-8", "replace").decode().replace("$", r"\$")


def _since(second: float, step: float, seconds: float) -> str:
    if step < 1:
        return f"{second:.1f} s"
    if seconds < 60:
        return f"{second:.0f} s"
    hours, minutes, rest = int(second) // 3600, int(second) // 60 % 60, int(second) % 60
    if seconds >= 3600:
        return f"{hours}:{minutes:02d}" + (f":{rest:02d}" if step < 60 else " h")
    return f"{minutes}:{rest:02d}"
