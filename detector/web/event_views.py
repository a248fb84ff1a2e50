"""Events as the API shows them: the message, and what belongs to it: its clip, its verdict, its picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from detector.clips.clip_folder import StoredClip
from detector.errors import HistoryError
from detector.history.archive import Query, sounds
from detector.history.history_paths import existing_history
from detector.history.past_sounds import messages_of, verdicts_said
from detector.history.picture_png import picture_png
from detector.history.picture_table import event_picture, pictured
from detector.history.vetoed_events import vetoed_sounds
from detector.interfaces import Message
from detector.web.clip_index import ClipIndex
from detector.web.recent_sounds import RecentSounds
from detector.wire.message import ClipBody, event_of

Event = dict[str, object]


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of a list of events."""

    events: list[Event]
    """The newest first."""
    next: int | None = None
    """`before` of the next page; None where there is none."""
    damaged: int = 0
    """Events that are left out: their rows in the history's file are damaged."""


class EventViews:
    """Reads events from the history; it takes a while, so call it in a thread."""

    def __init__(
        self,
        history: Sequence[Path],
        clips: ClipIndex,
        *,
        said_of_clips: Mapping[str, ClipBody],
        recent: RecentSounds,
        keeps_history: Callable[[], bool] = lambda: True,
    ) -> None:
        """`history` are the files to look for; `said_of_clips` is what the daemon said lately of the clip of
        an event, by the event's id; `recent` are the sounds to show where there is no history, or where the
        daemon says by `keeps_history` that it writes none.
        """
        self._history, self._clips, self._said_of_clips = history, clips, said_of_clips
        self._recent, self._keeps_history = recent, keeps_history

    def path(self) -> Path | None:
        """The history's file; None where there is none."""
        if not self._keeps_history():
            return None
        try:
            return existing_history(self._history)
        except HistoryError:
            return None

    def page(self, query: Query, *, vetoed: bool, with_clips: bool) -> EventPage:
        """At most `query.limit` events, the newest first; raises HistoryError."""
        path = self.path()
        if vetoed:
            kept = [] if path is None else vetoed_sounds(path, query)
            return EventPage(self._described(path, reversed(kept), with_clips=with_clips))
        damaged = 0
        if path is None:
            found = [*islice(self._recent.find(query), query.limit + 1)]
        else:
            found, damaged = _readable(path, query)
        shown = found[: query.limit]
        following = shown[-1].seq if len(found) > len(shown) else None
        return EventPage(self._described(path, shown, with_clips=with_clips), following, damaged)

    def one(self, id: str, *, with_clips: bool) -> Event | None:
        """An event with all of its messages; None where there is none of this id. Raises HistoryError."""
        path = self.path()
        messages = self._recent.messages_of(id) if path is None else messages_of(path, id)
        if not messages:
            return None
        (event,) = self._described(path, messages[-1:], with_clips=with_clips)
        return {**event, "messages": [fields_of(message) for message in messages]}

    def picture(self, id: str) -> bytes | None:
        """The PNG file of an event's picture; None where there is none. Raises HistoryError."""
        path = self.path()
        picture = None if path is None else event_picture(path, id)
        return None if picture is None else picture_png(picture)

    def many(self, messages: Sequence[Message], *, with_clips: bool) -> list[Event]:
        """Events of these messages, in their order. Raises HistoryError."""
        return self._described(self.path(), messages, with_clips=with_clips)

    def _described(self, path: Path | None, messages: Iterable[Message], *, with_clips: bool) -> list[Event]:
        chosen = [*messages]
        ids = [event_of(message).id for message in chosen]
        starts = {event.id: event.start_time for event in map(event_of, chosen)}
        said = {} if path is None else verdicts_said(path, ids)
        pictures = set() if path is None else pictured(path, ids)
        clips = self._clips.of_events(starts) if with_clips else {}
        return [
            {
                **fields_of(message),
                "clip": self._clip_view(id, clips.get(id)) if with_clips else None,
                "verdict_given": said.get(id),
                "picture": id in pictures,
            }
            for id, message in zip(ids, chosen, strict=True)
        ]

    def _clip_view(self, id: str, clip: StoredClip | None) -> Event | None:
        if clip is not None:
            facts = clip.facts()
            times = {"duration": facts.duration, "start_time": facts.start_time}
            return {"id": clip.entry.id, **times, "state": "saved"}
        said = self._said_of_clips.get(id)
        if said is None or said.state == "saved":
            return None
        times = {"duration": said.duration, "start_time": said.start_time}
        return {"id": said.id, **times, "state": said.state, "reason": said.reason}


def _readable(path: Path, query: Query) -> tuple[list[Message], int]:
    """The newest that can be read, one more than the limit where there are so many, and how many cannot.

    Those that cannot are counted up to the last of the page, as the next page begins behind that one.
    """
    more = 0
    while True:
        rows: list[Message | None] = []
        wanted = replace(query, limit=query.limit + 1 + more)
        for message in sounds(path, wanted, damaged=lambda: rows.append(None)):  # noqa: B023 (called here)
            rows.append(message)
        rows.reverse()
        found = [row for row in rows if row is not None][: query.limit + 1]
        if len(found) > query.limit:
            return found, rows[: rows.index(found[query.limit - 1])].count(None)
        if len(rows) < wanted.limit:
            return found, rows.count(None)
        more = 2 * more + len(rows) - len(found)


def live_view(message: Message) -> Event:
    """An event that was told just now: nothing belongs to it yet."""
    return {**fields_of(message), "clip": None, "verdict_given": None, "picture": False}


def fields_of(message: Message) -> Event:
    """The fields of a message as they stand on its line."""
    found: Event = json.loads(message.line, parse_constant=lambda _: None)
    return found
