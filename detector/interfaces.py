"""What the rooms promise each other: the Protocols that concrete classes fill.

Who calls what from where: a `Source` is opened, read and closed by the capture thread alone;
`Vad`, `Classifier` and `Stage` belong to the worker thread; each `Sink` to its own thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from detector.errors import HistoryError
from detector.records import Block, ModelSpec, Scores, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

In_contra = TypeVar("In_contra", contravariant=True)
Out = TypeVar("Out")


class Source(Protocol):
    """Where blocks come from."""

    @property
    def name(self) -> str:
        """What events call this source: the microphone's name, a file's path."""

    @property
    def live(self) -> bool:
        """True where sound does not wait (a microphone): overload drops blocks instead of pausing."""

    @property
    def immediate(self) -> bool:
        """True where the next block is there at once (a recording at full speed): it needs no thread."""

    def blocks(self) -> Iterator[Block]:
        """Open, then yield mono int16 blocks at the rate the source was made with, until the end.

        Raises SourceError (DeviceNotFound, DeviceLost, UnsupportedFormat).
        """

    def close(self) -> None:
        """Release the device or file; called by the thread that reads, more than once is fine."""


@runtime_checkable
class InterruptibleSource(Source, Protocol):
    """A source that can be closed while another thread waits in it; a device cannot."""

    def interrupt(self) -> None:
        """Let whoever reads stop waiting; called by any thread."""


class Vad(Protocol):
    """A yes/no detector of activity; stateful, so one for each stream."""

    def is_active(self, frame: Block) -> bool:
        """Whether something sounds in this frame of 10, 20 or 30 ms."""

    def reset(self) -> None:
        """Forget the past, as after a gap."""


class Classifier(Protocol):
    """One model in one runtime; not safe for use by several threads."""

    @property
    def spec(self) -> ModelSpec:
        """Rate, window and labels."""

    def scores(self, window: Window) -> Scores:
        """Score every label for one window of `spec.window` samples."""

    def close(self) -> None:
        """Release the runtime."""


class Embedder(Protocol):
    """A classifier that also gives its embedding: its last layer of features, before the labels."""

    @property
    def spec(self) -> ModelSpec:
        """Rate, window and labels."""

    @property
    def embedding_length(self) -> int:
        """Features."""

    def hear(self, window: Window) -> tuple[Scores, NDArray[np.float32]]:
        """Scores and embedding (embedding_length,) of one pass over a window of `spec.window` samples."""

    def close(self) -> None:
        """Release the runtime."""


class Head(Protocol):
    """A small network that names sounds by the embeddings of others."""

    @property
    def spec(self) -> ModelSpec:
        """Its labels and their thresholds; rate and window are its base's."""

    @property
    def networks(self) -> tuple[str, ...]:
        """Whose embeddings it takes, one behind the other."""

    @property
    def context_seconds(self) -> float:
        """It takes their mean over the windows that ended within the last so many seconds."""

    def scores(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score every label (labels,), 0..1, for a mean embedding (features,)."""

    def close(self) -> None:
        """Release the runtime."""


class Stage(Protocol[In_contra, Out]):
    """A step of the pipeline: pure, incremental, and indifferent to how its input was cut."""

    def push(self, item: In_contra, /) -> list[Out]:
        """Take one item, return what is ready."""

    def flush(self) -> list[Out]:
        """The stream has ended: return what was held back."""


class Body(Protocol):
    """What a message says; the concrete ones are in `wire.message`."""

    @property
    def kind(self) -> str:
        """Its `type` on the wire: `start`, `status`, ..."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the wire, made once and shared by all sinks."""

    body: Body
    """What it says."""
    seq: int | None
    """An event's number; None for every other message."""
    line: bytes
    """Both as one JSON object, UTF-8, ending in a newline."""

    @property
    def kind(self) -> str:
        """Its `type` on the wire."""
        return self.body.kind


class Sink(Protocol):
    """Where messages go; its methods are called by one thread."""

    @property
    def name(self) -> str:
        """How logs name it: `stdout`, `log:/path`, `socket:unix:///path`."""

    def open(self) -> None:
        """Get ready; raises SinkError when it can never work (bad path, address taken)."""

    def takes(self, message: Message) -> bool:
        """Whether a message is for this sink; only then it is written, and counts."""

    def write(self, message: Message) -> None:
        """Deliver one message; raises SinkError when this one could not be delivered."""

    def reopen(self) -> None:
        """Close files and open them again (log rotation by others, SIGHUP)."""

    def close(self) -> None:
        """Deliver what is held back and release everything."""


@runtime_checkable
class RefreshedSink(Sink, Protocol):
    """A sink that shows the time or a level: the same thread also refreshes it between messages."""

    @property
    def refresh_seconds(self) -> float | None:
        """How long it may go without a message before it is refreshed; None: it needs no refresh."""

    def refresh(self) -> None:
        """Show what is so now; raises SinkError where that cannot be."""


class HistoryHole(HistoryError):
    """Some events of the history cannot be read; those before and behind them can."""

    def __init__(self, message: str, *, before: Sequence[Message], resume_seq: int, missing: int) -> None:
        """`before` was read; go on after number `resume_seq`; `missing` events lie between."""
        super().__init__(message)
        self.before = before
        self.resume_seq = resume_seq
        self.missing = missing


class Archive(Protocol):
    """Events of the past, kept across runs; safe to use from any thread."""

    @property
    def oldest_seq(self) -> int | None:
        """The oldest event kept; None where there is none. Answers at once."""

    @property
    def newest_seq(self) -> int:
        """Every event up to this number that was ever sent is here. Answers at once."""

    def after(self, seq: int, limit: int, /) -> list[Message]:
        """At most `limit` events with a greater number, in order; reads the disk.

        Raises HistoryHole where some of them are damaged, HistoryError where none can be read.
        """


class Service(Protocol):
    """Something that runs beside the pipeline on a thread of its own."""

    def start(self) -> None:
        """Begin."""

    def close(self) -> None:
        """End."""
