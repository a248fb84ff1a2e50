"""What the tests of the page share: parts that know no daemon, and a client of the page made of them.

Without the extra `[web]` they are all skipped.
"""

from __future__ import annotations

from importlib.util import find_spec

import pytest

MISSING = [
    package for package in ("starlette", "uvicorn", "websockets", "httpx") if find_spec(package) is None
]


class SkippedModule(pytest.Module):
    """A file of tests whose packages are not there."""

    def collect(self):
        pytest.skip(f"needs {', '.join(MISSING)}: the extras [web,test]", allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    """Import no test of the page where that could only fail."""
    return SkippedModule.from_parent(parent, path=module_path) if MISSING else None


@pytest.fixture
def parts(tmp_path):
    """What routes need; `dataclasses.replace` changes them."""
    from tests.support.web_pages import make_parts

    return make_parts(tmp_path)


@pytest.fixture
def page(parts):
    """A client of the page: everybody is the owner, as on loopback without a password."""
    from tests.support.web_pages import open_page

    with open_page(parts) as client:
        yield client
