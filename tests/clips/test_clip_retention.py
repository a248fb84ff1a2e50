"""Which clips go: laws over any folder."""

from hypothesis import given
from hypothesis import strategies as st

from detector.clips.clip_retention import ClipEntry, RetentionLimits, deletions

DAY = 86400.0
LIMITS = RetentionLimits(keep_seconds=30 * DAY, max_bytes=1000, min_free_bytes=100, min_per_label=2)

FOLDERS = st.lists(
    st.builds(
        ClipEntry,
        id=st.uuids().map(str),
        slug=st.sampled_from(["dog", "cat", "siren"]),
        began=st.floats(0, 100 * DAY),
        size=st.integers(1, 400),
        locked=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda clip: clip.id,
)


def entry(id, began, *, slug="dog", size=10, locked=False):
    return ClipEntry(id, slug, began, size, locked)


def told(clips, *, now=100 * DAY, free=10_000, limits=LIMITS):
    return [(gone.clip.id, gone.reason) for gone in deletions(clips, limits, now=now, free_bytes=free)]


def test_the_old_go_but_for_the_newest_of_a_label_and_the_locked():
    clips = [entry(str(n), n * DAY) for n in range(5)] + [entry("cat", 0, slug="cat")]
    clips.append(entry("mine", 0, locked=True))
    assert told(clips) == [("0", "age"), ("1", "age"), ("2", "age")]


def test_size_and_room_delete_the_oldest_first():
    clips = [entry(str(n), 99 * DAY + n, size=300) for n in range(5)]
    assert told(clips) == [("0", "size"), ("1", "size")]
    clips = [entry(str(n), 99 * DAY + n, size=60) for n in range(5)]
    assert told(clips, free=0) == [("0", "space"), ("1", "space")]


@given(FOLDERS, st.integers(0, 1000), st.floats(0, 200 * DAY))
def test_locked_clips_and_the_newest_of_each_label_stay(clips, free, now):
    gone = {deletion.clip.id for deletion in deletions(clips, LIMITS, now=now, free_bytes=free)}
    assert not any(clip.locked for clip in clips if clip.id in gone)
    for slug in {clip.slug for clip in clips}:
        of_label = sorted(
            (clip for clip in clips if clip.slug == slug), key=lambda clip: (clip.began, clip.id)
        )
        assert not gone & {clip.id for clip in of_label[-LIMITS.min_per_label :]}


@given(FOLDERS, st.integers(0, 1000), st.floats(0, 200 * DAY))
def test_what_could_go_is_within_the_limits_afterwards(clips, free, now):
    gone = deletions(clips, LIMITS, now=now, free_bytes=free)
    ids = {deletion.clip.id for deletion in gone}
    left = [clip for clip in clips if clip.id not in ids]
    newest = {
        clip.id
        for slug in {clip.slug for clip in clips}
        for clip in sorted((c for c in clips if c.slug == slug), key=lambda c: (c.began, c.id))[-2:]
    }
    free_then = free + sum(deletion.clip.size for deletion in gone)
    may_go = [clip for clip in left if not clip.locked and clip.id not in newest]
    if may_go:
        assert sum(clip.size for clip in left) <= LIMITS.max_bytes
        assert free_then >= LIMITS.min_free_bytes
        assert all(now - clip.began <= LIMITS.keep_seconds for clip in may_go)


@given(FOLDERS, st.integers(0, 1000), st.floats(0, 200 * DAY))
def test_a_second_look_deletes_nothing_more(clips, free, now):
    gone = deletions(clips, LIMITS, now=now, free_bytes=free)
    ids = {deletion.clip.id for deletion in gone}
    free_then = free + sum(deletion.clip.size for deletion in gone)
    left = [clip for clip in clips if clip.id not in ids]
    assert deletions(left, LIMITS, now=now, free_bytes=free_then) == []
