"""One of several shares of the recordings: for clusters, where each job analyzes its own into one folder."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from detector.analysis.recording_files import RecordingFile
from detector.errors import ConfigError

MOST = 100_000
"""Shares at most."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`th of `count` shares, counted from 1."""

    number: int
    count: int

    @staticmethod
    def parse(text: str) -> Shard:
        """Read `2/8`; raises ConfigError."""
        number, separator, count = text.partition("/")
        if not (separator and all(part.isascii() and part.isdigit() for part in (number, count))):
            raise ConfigError(f"expected I/N, such as 2/8 for the second of eight shares, got {text!r}")
        shard = Shard(int(number), int(count))
        if not 1 <= shard.number <= shard.count <= MOST:
            raise ConfigError(f"expected I/N with I from 1 to N, and N at most {MOST}, got {text!r}")
        return shard

    def of(self, recordings: Sequence[RecordingFile]) -> list[RecordingFile]:
        """The recordings of this share, in their order.

        The largest recording goes to the share that has the fewest bytes so far, and so on. All jobs that
        find the same recordings agree, and each recording is in one share.
        """
        loads = [(0, number) for number in range(1, self.count + 1)]
        mine = set()
        for recording in sorted(recordings, key=lambda one: (-one.size, one.name)):
            size, number = heapq.heappop(loads)
            heapq.heappush(loads, (size + max(1, recording.size), number))
            if number == self.number:
                mine.add(recording.name)
        return [recording for recording in recordings if recording.name in mine]
