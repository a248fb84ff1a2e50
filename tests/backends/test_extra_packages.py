"""What an extra lacks is told with the packages that bring it, before any work."""

from __future__ import annotations

import pytest

from detector.backends.extra_packages import check_installed, needed
from detector.errors import DetectorError


def test_missing_packages_are_named_together():
    check_installed({"json": "json"})
    with pytest.raises(DetectorError, match=r"training needs one-x and two-x; .*\[train\]"):
        check_installed({"json": "json", "one_x": "one-x", "two_x": "two-x"}, "training", "train")


def test_one_that_cannot_be_imported_is_told_with_the_reason():
    assert needed("json", "json").loads("1") == 1
    with pytest.raises(DetectorError, match=r"needs one-x \(No module named 'one_x'\)"):
        needed("one_x", "one-x")
