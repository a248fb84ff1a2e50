"""Which clip an event has: found by the event's day, and looked up again when that changes."""

from __future__ import annotations

import os

import pytest

from detector.clips.clip_folder import ClipStore
from detector.clips.clip_record import ClipFacts, ClipSound
from detector.web.clip_index import ClipIndex

NOON, MIDNIGHT = "2026-08-01T12:00:00.000Z", "2026-08-02T00:00:01.000Z"


@pytest.fixture
def store(tmp_path):
    return ClipStore(tmp_path / "clips")


def clip(store, time, *events):
    """Write a clip that begins at a time such as 20260801T120000Z."""
    id = f"{time}_dog_ab12-{events[0]}"
    sounds = tuple(ClipSound(event, "Dog", "/d", "fake", 0.9, 0.5, 1.0) for event in events)
    facts = ClipFacts(id, "Dog", NOON, 2.5, "Mic", 16000, sounds)
    return store.write(facts, b"RIFF", suffix=".wav", speech_score=None)


def found(index, **starts):
    return {event: clip.entry.id for event, clip in index.of_events(starts).items()}


def test_all_events_of_a_clip_are_found(store):
    index = ClipIndex(store.folder)
    clip(store, "20260801T115958Z", "a", "b")
    assert found(index, a=NOON, b=NOON, c=NOON) == dict.fromkeys("ab", "20260801T115958Z_dog_ab12-a")


def test_a_clip_of_the_day_before_is_found(store):
    clip(store, "20260801T235958Z", "a")
    assert found(ClipIndex(store.folder), a=MIDNIGHT) == {"a": "20260801T235958Z_dog_ab12-a"}


def test_new_clips_are_found_and_deleted_ones_are_not(store):
    index = ClipIndex(store.folder)
    assert found(index, a=NOON) == {}
    first = clip(store, "20260801T115958Z", "a")
    assert list(found(index, a=NOON)) == ["a"]
    clip(store, "20260801T115959Z", "b")
    store.delete(first)
    assert list(found(index, a=NOON, b=NOON)) == ["b"]


def test_a_day_that_has_not_changed_is_not_read_again(store, monkeypatch):
    stored = clip(store, "20260801T115958Z", "a")
    os.utime(stored.path.parent, (1_000_000, 1_000_000))
    index = ClipIndex(store.folder)
    assert list(found(index, a=NOON)) == ["a"]
    monkeypatch.setattr("detector.web.clip_index.clips_of", lambda _: pytest.fail("it was read again"))
    assert list(found(index, a=NOON)) == ["a"]


@pytest.mark.parametrize("start", [None, "", "yesterday", "9999-99-99", "0001-01-01T00:00:00Z"])
def test_an_event_without_a_time_has_no_clip(store, start):
    clip(store, "20260801T115958Z", "a")
    assert found(ClipIndex(store.folder), a=start) == {}


def test_a_linked_day_is_left_alone(store, tmp_path):
    stored = clip(store, "20260801T115958Z", "a")
    stored.path.parent.rename(tmp_path / "elsewhere")
    stored.path.parent.symlink_to(tmp_path / "elsewhere")
    assert found(ClipIndex(store.folder), a=NOON) == {}


def test_no_folder_has_no_clips():
    assert found(ClipIndex(None), a=NOON) == {}
