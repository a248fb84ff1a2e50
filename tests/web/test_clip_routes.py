"""Clips over HTTP: lists, ranges, downloads, locks; nothing outside their folder is ever sent."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from detector.clips.clip_folder import ClipStore
from detector.clips.clip_record import ClipFacts, ClipSound
from detector.web.access.roles import SCOPE_KEY, Role, Visitor
from detector.web.app import make_app
from detector.web.sound_answer import wanted_range
from tests.support.invented_sounds import HOSTILE
from tests.support.web_pages import TestClient, changing, make_parts, open_page

SOUND = bytes(range(256)) * 4


def clip(parts, number, label="Dog", source="Mic", suffix=".flac"):
    """Write a clip of the day of its number; returns its id."""
    id = f"202608{1 + number // 3:02d}T1403{number:02d}Z_dog_ab12-{number}"
    sound = ClipSound(f"20260801T140000Z-ab12-{number}", label, "/d", "fake", 0.9, 0.5, 1.0)
    facts = ClipFacts(id, label, "2026-08-01T14:03:21.000Z", 2.5, source, 16000, (sound,))
    ClipStore(parts.clips).write(facts, SOUND, suffix=suffix, speech_score=None)
    return id


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """The parts of a page whose clips tests only read."""
    return make_parts(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def ids(shelf):
    """Its six clips on two days, the oldest first."""
    labels = ["Dog", "Cat", HOSTILE, "Dog", "Dog", "Cat"]
    found = [clip(shelf, number, label, f"Mic {number % 2}") for number, label in enumerate(labels)]
    ClipStore(shelf.clips).lock(ClipStore(shelf.clips).find(found[1]))
    return found


@pytest.fixture(scope="module")
def shown(shelf, ids):
    """A client of that page."""
    with open_page(shelf) as client:
        yield client


def listed(page, **query):
    answer = page.get("/api/v1/clips", params=query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["clips"]], answer.json()["next"]


def test_clips_are_listed_page_by_page_the_newest_first(shown, ids):
    newest = ids[::-1]
    assert listed(shown) == (newest, None)
    assert listed(shown, limit=4) == (newest[:4], newest[3])
    assert listed(shown, limit=4, before=newest[3]) == (newest[4:], None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"label": "cat"}, [5, 1]),
        ({"label": HOSTILE}, [2]),
        ({"source": "Mic 1", "label": ["Dog", "Cat"]}, [5, 3, 1]),
        ({"locked": "1"}, [1]),
        ({"locked": "false", "label": "Cat"}, [5]),
    ],
)
def test_lists_can_be_filtered(shown, ids, query, found):
    assert listed(shown, **query)[0] == [ids[number] for number in found]


def test_one_clip_is_described_without_its_path(shown, shelf, ids):
    answer = shown.get(f"/api/v1/clips/{ids[2]}")
    assert answer.json() == {
        "id": ids[2],
        "state": "saved",
        "label": HOSTILE,
        "labels": [HOSTILE],
        "start_time": "2026-08-01T14:03:21.000Z",
        "duration": 2.5,
        "source": "Mic 0",
        "locked": False,
        "bytes": answer.json()["bytes"],
        "events": ["20260801T140000Z-ab12-2"],
    }
    assert answer.json()["bytes"] > len(SOUND)


@pytest.mark.parametrize(
    ("suffix", "media_type"), [(".flac", "audio/flac"), (".wav", "audio/wav"), (".opus", "audio/ogg")]
)
def test_a_sound_is_sent_whole(page, parts, suffix, media_type):
    id = clip(parts, 1, suffix=suffix)
    answer = page.get(f"/api/v1/clips/{id}/sound")
    assert (answer.status_code, answer.content) == (200, SOUND)
    assert answer.headers["content-type"] == media_type
    assert answer.headers["accept-ranges"] == "bytes"
    assert "content-disposition" not in answer.headers
    saved = page.get(f"/api/v1/clips/{id}/sound?download=1")
    assert saved.headers["content-disposition"] == f'attachment; filename="{id}{suffix}"'
    head = page.head(f"/api/v1/clips/{id}/sound")
    assert (head.content, head.headers["content-length"]) == (b"", str(len(SOUND)))


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-", 0, 1023),
        ("bytes=0-0", 0, 0),
        ("bytes=1000-5000", 1000, 1023),
        ("bytes=-24", 1000, 1023),
        ("bytes=-5000", 0, 1023),
        ("bytes=100-199", 100, 199),
    ],
)
def test_a_part_of_a_sound_is_sent(shown, ids, header, first, last):
    answer = shown.get(f"/api/v1/clips/{ids[0]}/sound", headers={"Range": header})
    assert answer.status_code == 206
    assert answer.content == SOUND[first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/1024"
    assert answer.headers["content-length"] == str(last + 1 - first)


@pytest.mark.parametrize("header", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_part_that_is_not_there_cannot_be_sent(shown, ids, header):
    answer = shown.get(f"/api/v1/clips/{ids[0]}/sound", headers={"Range": header})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["content-range"] == "bytes */1024"


@pytest.mark.parametrize(
    "header", ["bytes=", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "bytes=9-3", "bytes=a-b"]
)
def test_other_ranges_are_not_looked_at(header):
    assert wanted_range(header, 1024) is None


def test_a_sound_that_a_browser_has_is_not_sent_again(shown, ids):
    path = f"/api/v1/clips/{ids[0]}/sound"
    tag = shown.get(path).headers["etag"]
    again = shown.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    part = {"Range": "bytes=0-9"}
    assert shown.get(path, headers={**part, "If-Range": tag}).status_code == 206
    assert shown.get(path, headers={**part, "If-Range": '"older"'}).status_code == 200


def test_a_locked_clip_is_kept_until_it_is_unlocked(page, parts):
    path, other = f"/api/v1/clips/{clip(parts, 0)}", clip(parts, 1)
    headers = changing(page)
    assert page.post(f"{path}/lock", json={"locked": True}, headers=headers).json()["locked"]
    assert page.delete(path, headers=headers).status_code == 409
    assert not page.post(f"{path}/lock", json={"locked": False}, headers=headers).json()["locked"]
    assert page.delete(path, headers=headers).status_code == 204
    assert page.get(path).status_code == 404
    assert listed(page)[0] == [other]


@pytest.mark.parametrize("body", [{}, {"locked": 1}, {"locked": "yes"}, [], "x"])
def test_a_lock_is_on_or_off(shown, ids, body):
    answer = shown.post(f"/api/v1/clips/{ids[0]}/lock", json=body, headers=changing(shown))
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


@pytest.mark.parametrize(
    "id",
    [
        "..%2f..%2fsecret",
        "%2e%2e",
        "20260801T140300Z_dog_ab12-0.flac",
        "20260801T140300Z_dog_..%2fsecret",
        "%2fetc%2fpasswd",
        "20260801T140300Z_dog_nothing",
        "99999999T999999Z_dog_ab12-0",
        "a%00b",
        "x" * 5000,
    ],
)
def test_what_is_no_clip_is_not_found(shown, shelf, ids, id):
    (shelf.clips.parent / "secret.flac").write_bytes(b"secret")
    for answer in (
        shown.get(f"/api/v1/clips/{id}"),
        shown.get(f"/api/v1/clips/{id}/sound"),
        shown.delete(f"/api/v1/clips/{id}", headers=changing(shown)),
    ):
        assert answer.status_code in (404, 405)
        assert answer.content != b"secret"


def test_links_out_of_the_folder_are_not_followed(page, parts, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    name = "20260801T140300Z_dog_ab12-7"
    (outside / f"{name}.flac").write_bytes(b"secret")
    parts.clips.mkdir(parents=True)
    (parts.clips / "2026-08-01").symlink_to(outside)
    assert page.get(f"/api/v1/clips/{name}/sound").status_code == 404
    (parts.clips / "2026-08-01").unlink()
    (parts.clips / "2026-08-01").mkdir()
    (parts.clips / "2026-08-01" / f"{name}.flac").symlink_to(outside / f"{name}.flac")
    assert page.get(f"/api/v1/clips/{name}/sound").status_code == 404
    (parts.clips / "2026-08-01" / f"{name}.flac").unlink()
    os.mkfifo(parts.clips / "2026-08-01" / f"{name}.flac")
    assert page.get(f"/api/v1/clips/{name}/sound").status_code == 404
    assert listed(page) == ([], None)


def test_a_clip_that_goes_while_it_is_asked_for_is_not_found(page, parts, monkeypatch):
    found, id = ClipStore.exact, clip(parts, 0)

    def and_gone(store, id):
        stored = found(store, id)
        stored.path.unlink()
        return stored

    monkeypatch.setattr(ClipStore, "exact", and_gone)
    assert page.get(f"/api/v1/clips/{id}/sound").status_code == 404


def test_a_page_without_clips_has_none(parts):
    with open_page(replace(parts, clips=None)) as page:
        assert page.get("/api/v1/clips").json() == {"clips": [], "next": None}
        assert page.get("/api/v1/clips/20260801T140300Z_dog_ab12-7").status_code == 404


def test_guests_hear_nothing(shelf, ids):
    app = make_app(shelf).router

    async def as_guest(scope, receive, send):
        await app({**scope, SCOPE_KEY: Visitor(Role.GUEST)}, receive, send)

    guest = TestClient(as_guest)
    paths = ("/api/v1/clips", f"/api/v1/clips/{ids[0]}", f"/api/v1/clips/{ids[0]}/sound")
    assert [guest.get(path).status_code for path in paths] == [403] * 3


def test_descriptors_are_given_back(shown, ids):
    def count():
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    shown.get(f"/api/v1/clips/{ids[0]}/sound")
    before = count()
    for headers in ({}, {"Range": "bytes=9999-"}, {"Range": "bytes=1-2"}):
        shown.get(f"/api/v1/clips/{ids[0]}/sound", headers=headers)
        shown.head(f"/api/v1/clips/{ids[0]}/sound")
    assert count() == before
