"""The sound level of the last minute, as the report and the metrics show it."""

from __future__ import annotations

from collections.abc import Iterable

from detector.audio.minute_meter import MinuteMeter
from detector.wire.message import finite

LEVEL_GAUGES = {
    "laeq_dbfs": "LAeq of the last minute, A-weighted [dB re full scale].",
    "max_dbfs": "Level of the loudest 30 ms of the last minute, A-weighted [dB re full scale].",
    "l10_dbfs": "Level reached for 10 % of the last minute, A-weighted [dB re full scale].",
    "l90_dbfs": "Level reached for 90 % of the last minute, A-weighted [dB re full scale].",
}


def level_report(meters: Iterable[MinuteMeter | None], now: float) -> dict[str, float | None]:
    """The highest of each level that meters measured in the minute before `now` [dBFS]; None where none did.

    `now` is UTC seconds since 1970; a meter is None where no levels are kept.
    """
    newest = [None if meter is None else meter.newest(now) for meter in meters]
    known = [minute for minute in newest if minute is not None]
    columns = (
        [minute.leq_dbfs for minute in known],
        [minute.max_dbfs for minute in known],
        [minute.exceeded_dbfs(0.1) for minute in known],
        [minute.exceeded_dbfs(0.9) for minute in known],
    )
    return {name: _highest(levels) for name, levels in zip(LEVEL_GAUGES, columns, strict=True)}


def _highest(levels: Iterable[float | None]) -> float | None:
    known = [level for level in levels if level is not None]
    return finite(max(known), 1) if known else None
