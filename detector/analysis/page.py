"""One recording as one HTML page that needs nothing else: picture, summary, hours, events.

It plays the recording where that still is; the sound is not inside the page, so who passes a page on passes
no sound on.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from urllib.parse import quote

from detector.analysis.html_parts import (
    TABLES,
    document,
    facts_html,
    heads_html,
    hours_section,
    labels_table,
    name_html,
    shown_text,
)
from detector.analysis.overview import Spectrogram
from detector.analysis.page_picture import picture_html
from detector.analysis.sounds import Sound
from detector.analysis.summary import Summary
from detector.analysis.tables import length_text
from detector.remote.remote_file import RemotePath

SCRIPTS = (
    *("report_spectrogram.js", "report_picture.js", "report_pointing.js", "report_sound.js"),
    *(TABLES, "report.js"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What is on it."""

    name: str
    source: str
    model: str
    summary: Summary
    sounds: Sequence[Sound]
    """By onset."""
    count: int
    """Sounds there were, also those that are not in `sounds`."""
    spectrogram: Spectrogram
    recording: str = ""
    """RemoteAddress of the recording, seen from the page; empty where it is no file that can be played."""
    alarms: Collection[str] = frozenset()
    """Labels that come first in the picture."""


def address_from(page: Path, recording: Path | RemotePath) -> str:
    """The address of a recording, seen from a page; empty where it is no file, but a pipe for example.

    It is relative: a folder that holds both can be moved. Of a recording on a web server it is its address,
    unless that has a login or a token in it; of others elsewhere a browser can play nothing.
    """
    if isinstance(recording, RemotePath):
        return recording.address.public_url
    if not recording.is_file():
        return ""
    # Browsers take `..` out of an address without following links, as abspath does.
    here, there = os.path.abspath(page.parent), os.path.abspath(recording)  # noqa: PTH100
    return quote(os.fsencode(os.path.relpath(there, here)))


def page_html(page: Page, *, zone: tzinfo | None = None) -> str:
    """Render a page; `zone` None is the machine's own."""
    summary = page.summary
    facts = [
        (length_text(summary.heard_seconds), "length"),
        (str(page.count), "sounds" if page.count != 1 else "sound"),
        (str(len(summary.labels)), "labels" if len(summary.labels) != 1 else "label"),
    ]
    if summary.start is not None:
        facts.insert(0, (f"{datetime.fromtimestamp(summary.start, zone):%Y-%m-%d %H:%M:%S}", "began"))
    parts = [
        f"<h1>{shown_text(page.name)}</h1>"
        f'<p class="about">{shown_text(page.source)} · analyzed with {shown_text(page.model)}</p>',
        facts_html(facts),
        picture_html(page.spectrogram, name=page.name, start=summary.start, zone=zone),
        _events(page, zone),
        f"<section><h2>Summary</h2>{labels_table(summary)}</section>",
        hours_section(summary),
    ]
    return document(page.name, "".join(parts), scripts=SCRIPTS)


def _events(page: Page, zone: tzinfo | None) -> str:
    if not page.sounds:
        return _sound_html(page)
    heads = [("at", "u"), ("label", "t"), ("seconds", "n"), ("top score", "n"), ("level", "n")]
    rows = "".join(_event_rows(page, zone))
    left = page.count - len(page.sounds)
    note = f'<p class="note">{left} shorter sounds are left out here.</p>' if left else ""
    return (
        f'<section><div class="head"><h2>Events (<span id="shown">{len(page.sounds)}</span>)</h2>'
        '<input id="filter" type="search" placeholder="Filter by label" aria-label="Filter by label"></div>'
        f"{_sound_html(page)}"
        '<div class="scroll"><table class="sortable events">'
        f'<thead><tr>{heads_html(heads, "at")}</tr></thead><tbody class="events">{rows}</tbody></table></div>'
        f"{note}</section>"
    )


def _sound_html(page: Page) -> str:
    """The recording for the player, and what is said about it."""
    if not page.recording:
        return '<p class="note" id="sound-note">There is no sound here: the recording is no file.</p>'
    return (
        f'<audio id="sound" preload="metadata" src="{shown_text(page.recording)}"></audio>'
        '<p class="note" id="sound-note"></p>'
    )


def _event_rows(page: Page, zone: tzinfo | None) -> Iterator[str]:
    start = page.summary.start
    for sound in page.sounds:
        clock = ""
        if start is not None:
            clock = f"<small>{datetime.fromtimestamp(start + sound.onset, zone):%a %H:%M:%S}</small>"
        alarm = ' class="alarm"' if sound.label in page.alarms else ""
        yield (
            f'<tr{alarm} data-on="{sound.onset:.3f}" data-off="{sound.offset:.3f}">'
            f'<td class="n at" data-v="{sound.onset:.3f}">'
            f"<span>{position_text(sound.onset)}</span>{clock}</td>"
            f"{name_html(sound.label)}"
            f'<td class="n">{sound.seconds:.1f}</td><td class="n">{sound.top_score:.2f}</td>'
            f'<td class="n">{sound.level_dbfs:.1f} <span class="unit">dBFS</span></td></tr>'
        )


def position_text(seconds: float) -> str:
    """`0:07.3`, `1:04:09.0` since the recording's start."""
    tenths = round(max(0.0, seconds) * 10)
    hours, minutes, rest = tenths // 36000, tenths // 600 % 60, tenths % 600 / 10
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
