"""Loss and accuracy over the epochs, as one drawing inside a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, EDGE = 520, 220, 40


def curves_svg(histories: Sequence[Sequence[Mapping[str, float]]], key: str, title: str) -> str:
    """SVG: one line for each history that has this figure; empty where none has."""
    lines = [[(row["epoch"], row[key]) for row in rows if key in row] for rows in histories]
    lines = [line for line in lines if len(line) > 1]
    if not lines:
        return ""
    epochs = max(x for line in lines for x, _ in line)
    values = [y for line in lines for _, y in line]
    low, high = (0.0, max(1e-6, max(values)))
    drawn = "".join(
        '<polyline fill="none" stroke="rgb(var(--hot))" stroke-opacity="0.7" stroke-width="1.5" points="'
        + " ".join(f"{_across(x, epochs):.1f},{_up(y, low, high):.1f}" for x, y in line)
        + '"/>'
        for line in lines
    )
    ticks = "".join(
        f'<line x1="{EDGE}" x2="{WIDTH}" y1="{_up(y, low, high):.1f}" y2="{_up(y, low, high):.1f}" '
        f'stroke="var(--line)"/><text x="{EDGE - 6}" y="{_up(y, low, high) + 4:.1f}" text-anchor="end" '
        f'font-size="11" fill="var(--faint)">{y:.2g}</text>'
        for y in (low, high / 2, high)
    )
    return (
        f'<figure style="display:inline-block;margin:0 16px 8px 0"><figcaption class="note">{escape(title)}'
        f'</figcaption><svg viewBox="0 0 {WIDTH + 8} {HEIGHT + 24}" width="{WIDTH}" role="img" '
        f'aria-label="{escape(title)}">{ticks}{drawn}<text x="{WIDTH}" y="{HEIGHT + 18}" text-anchor="end" '
        f'font-size="11" fill="var(--faint)">epoch {epochs:.0f}</text></svg></figure>'
    )


def _across(epoch: float, epochs: float) -> float:
    return EDGE + (WIDTH - EDGE) * (epoch - 1) / max(1.0, epochs - 1)


def _up(value: float, low: float, high: float) -> float:
    return HEIGHT - (HEIGHT - 10) * (value - low) / (high - low)
