"""Versions of a file, as listings and answers describe them."""

import pytest

from detector.remote.range_reader import Stamp
from detector.remote.store_ranges import stamp_of

MS = 1_000_000


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (Stamp(4, 1000 * MS, "a"), Stamp(4, 1000 * MS, "a"), True),
        (Stamp(4, 1000 * MS, "a"), Stamp(5, 1000 * MS, "a"), False),
        (Stamp(4, 1000 * MS, "a"), Stamp(4, 1000 * MS, "b"), False),
        (Stamp(4, 1000 * MS), Stamp(4, 9000 * MS), False),
        # A listing has milliseconds, an HTTP header has seconds; one of them may have no checksum.
        (Stamp(4, 1999 * MS, "a"), Stamp(4, 1000 * MS, "a"), True),
        (Stamp(4, 1999 * MS, "a"), Stamp(4, 1000 * MS), True),
        (Stamp(4, 0, "a"), Stamp(4, 1000 * MS), True),
    ],
)
def test_versions_are_compared_by_what_both_say(one, other, is_same):
    assert (one.is_same(other), other.is_same(one)) == (is_same, is_same)


@pytest.mark.parametrize("key", ["ETag", "etag", "md5Hash"])
def test_quotes_belong_to_no_checksum(key):
    assert stamp_of({"size": 4, key: '"0x8D"'}) == stamp_of({"size": 4, key: "0x8D"}) == Stamp(4, 0, "0x8D")
