"""The settings of the web page, which is a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from detector.config.constraints import Limit


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where `sound-detector web` serves the page, and what it lets people do."""

    port: Annotated[int, Limit(0, 65535)] = 8790
    """Port of the page; 0 is any free port."""
    read_only: bool = False
    """Whether the page changes nothing: no settings, no verdicts, no clips."""
    level_offset_db: Annotated[float, Limit(-200, 200, "dB")] = 0.0
    """Added to levels that the page shows [dB]: what a sound level meter shows, less the level in dBFS."""
