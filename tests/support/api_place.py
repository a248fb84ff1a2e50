"""A page with one event, its clip, its picture and some levels, and a daemon that answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from detector.clips.clip_folder import ClipStore
from detector.clips.clip_record import ClipFacts, ClipSound
from detector.web.daemon_link import DaemonLink
from tests.support.fake_daemon import FakeDaemon
from tests.support.fakes import wait_until
from tests.support.history_stores import T0, make_message, make_store
from tests.support.invented_sounds import SOURCES, level_of_minute, pictures_of
from tests.support.page_desks import parts_with_desk
from tests.support.web_pages import TestClient, open_page

EVENT, CLIP = "20260801T140000Z-ab12-1", "20260801T140321Z_dog_ab12-1"


@contextmanager
def open_place(folder: Path) -> Iterator[TestClient]:
    """A client of the page; whoever asks is the owner."""
    parts = parts_with_desk(folder)
    messages = [
        make_message(1, id=EVENT, start=T0, source=SOURCES[0]),
        make_message(2, "end", id=EVENT, start=T0, stop=T0 + 2, source=SOURCES[0]),
    ]
    store = make_store(parts.history[0], pictures=10)
    minutes = [level_of_minute(SOURCES[0], int(T0 // 60) + number) for number in range(3)]
    store.write(messages, minutes, pictures_of(messages))
    store.close()
    sound = ClipSound(EVENT, "Dog", "/d", "fake", 0.9, 0.5, 1.0)
    facts = ClipFacts(CLIP, "Dog", "2026-08-01T14:03:21.000Z", 2.5, SOURCES[0], 16000, (sound,))
    ClipStore(parts.clips).write(facts, b"RIFF" * 1000, suffix=".wav", speech_score=None)
    with FakeDaemon(folder / "events.sock") as daemon:
        for message in messages:
            daemon.tell(message)
        link = DaemonLink([daemon.uri])
        with open_page(replace(parts, daemon=link)) as client:
            wait_until(lambda: link.now.connected)
            yield client
