"""Which numbered events somebody has had, across broken connections and new generations of numbers."""

from __future__ import annotations


class SeenEvents:
    """The newest number that was had, and the generation that it belongs to (docs/protocol.md, Numbers)."""

    def __init__(self, seq: int | None = None, generation: str | None = None) -> None:
        """`generation` None: that of the first hello."""
        self.seq = seq
        """The newest number; None before the first event."""
        self._generation = generation

    def meet(self, generation: str, generation_seq: int) -> bool:
        """A daemon says hello: in a new generation, numbers above `generation_seq` are other events.

        Returns whether it is a new one.
        """
        is_new = self._generation not in (None, generation)
        if is_new and self.seq is not None:
            self.seq = min(self.seq, generation_seq)
        self._generation = generation
        return is_new

    def take(self, seq: int) -> bool:
        """Whether an event is new; from now on it is not."""
        if self.seq is not None and seq <= self.seq:
            return False
        self.seq = seq
        return True
