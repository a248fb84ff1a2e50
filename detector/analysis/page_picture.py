"""The picture of a page: the spectrogram as grey pixels, and what the page's script needs to draw it.

The script colours it as the page is, light or dark, puts the events below it, and zooms. Without scripts the
grey picture is shown.
"""

from __future__ import annotations

import base64
from datetime import datetime, tzinfo

import numpy as np
from numpy.typing import NDArray

from detector.analysis.html_parts import shown_text
from detector.analysis.overview import DYNAMIC_DB, FLOOR_DBFS, Spectrogram
from detector.files.grey_png import grey_png

SHADES = 64
"""Steps of 1.2 dB: more would make the page larger and look the same."""

FAINT_DB = 4.0
"""A band that is nowhere so far above silence is empty."""

LEAST_BANDS = 64
"""Bands that are shown of silence too."""

CLOCK_STEP = 900.0
"""Clocks change on whole quarters of an hour [s]."""


def picture_html(
    spectrogram: Spectrogram, *, name: str, start: float | None = None, zone: tzinfo | None = None
) -> str:
    """The section; `start` [UTC seconds] None where unknown, `zone` None is the machine's own."""
    floor = spectrogram.top_dbfs - DYNAMIC_DB
    shades = np.clip((spectrogram.dbfs - floor) * (SHADES - 1) / DYNAMIC_DB, 0, SHADES - 1)
    bands = _heard_bands(spectrogram.dbfs, floor)
    shades = shades[:bands]
    grey = np.rint(np.rint(shades) * (255 / (SHADES - 1))).astype(np.uint8)[::-1]  # high bands on top
    png = base64.b64encode(grey_png(grey.tobytes(), grey.shape[1])).decode()
    clock = (
        ""
        if start is None
        else f' data-start="{start:.3f}" data-clock="{_clock(start, spectrogram.seconds, zone)}"'
    )
    loudest = floor + DYNAMIC_DB
    return (
        '<section class="picture"><div class="head"><h2>Timeline</h2><div class="tools"></div></div>'
        f'<div id="picture" data-seconds="{spectrogram.seconds:.3f}"{clock} '
        f'data-low="{spectrogram.edges_hz[0]:.1f}" data-high="{spectrogram.edges_hz[bands]:.1f}">'
        f'<img id="spectrogram" alt="Spectrogram of {shown_text(name)}" '
        f'src="data:image/png;base64,{png}"></div>'
        '<div class="legend"><span class="key"><b>Spectrogram</b> '
        f'{floor:.0f} dBFS <i class="ramp"></i> {loudest:.0f} dBFS</span>'
        '<span class="key"><b>Events</b> <i class="shade" style="opacity:.36"></i> pale: unsure (score 0.2) '
        '<i class="shade" style="opacity:1"></i> solid: sure (score 1.0)</span>'
        '<span class="key" id="alarm-key" hidden><i class="shade alarm"></i> alarms</span></div>'
        '<noscript><p class="note">Scripts are off here: the spectrogram is grey, and the events are in the '
        "table below.</p></noscript></section>"
    )


def _heard_bands(dbfs: NDArray[np.float32], floor: float) -> int:
    """The bands in which anything is heard, and those below: a recording may end below the model's rate."""
    heard = np.flatnonzero(dbfs.max(axis=1) >= max(floor, FLOOR_DBFS) + FAINT_DB)
    return max(LEAST_BANDS, int(heard[-1]) + 1 if len(heard) else 0)


def _clock(start: float, seconds: float, zone: tzinfo | None) -> str:
    """How far the clock is from UTC [s], and where that changes: `0:3600 5400:7200`, since the start."""
    changes: list[tuple[float, int]] = []
    first = start - start % CLOCK_STEP
    for place in (start, *np.arange(first + CLOCK_STEP, start + seconds, CLOCK_STEP)):
        offset = datetime.fromtimestamp(place, zone).astimezone(zone).utcoffset()
        ahead = 0 if offset is None else round(offset.total_seconds())
        if not changes or changes[-1][1] != ahead:
            changes.append((place - start, ahead))
    return " ".join(f"{place:.0f}:{ahead}" for place, ahead in changes)
