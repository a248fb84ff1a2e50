"""What an installation holds: every room, and every folder of it."""

import subprocess
from configparser import ConfigParser

import pytest

from tests.support import ROOT

DEEPER = {"detector.models"}
"""Installed from a folder of another name."""
OF_DEVELOPERS = {"dev", "fuzz", "release", "test"}
"""Extras that nobody needs to run the program."""


def test_every_package_is_installed():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    named = set(setup["options"]["packages"].split())
    found = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "detector").rglob("__init__.py")
    }
    assert named - DEEPER == found


def test_every_extra_of_users_is_documented():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    section = (ROOT / "docs" / "packages.md").read_text().partition("### Extras")[2].partition("\n## ")[0]
    rows = "".join(line for line in section.splitlines() if line.startswith("| `"))
    assert {extra for extra in setup["options.extras_require"] if f"`{extra}`" not in rows} == OF_DEVELOPERS


def test_every_file_of_the_page_is_installed():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    patterns = setup["options.package_data"]["detector.web"].replace("\n", " ").split(",")
    folder = ROOT / "detector" / "web"
    installed = {path for pattern in patterns for path in folder.glob(pattern.strip()) if path.is_file()}
    files = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path for path in files if path.suffix != ".py"} <= installed


def test_the_source_package_has_everything_that_is_kept_in_the_repository():
    if not (ROOT / ".git").exists():
        pytest.skip("this is no repository")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    kept = {name.partition("/")[0] for name in listed.splitlines() if not name.startswith(".")}
    lines = [line.split() for line in (ROOT / "MANIFEST.in").read_text().splitlines() if line]
    brought = {name for word, *names in lines if word in {"include", "graft"} for name in names}
    # What setuptools takes by itself.
    brought |= {"detector", "models", "LICENSE", "README.md", "pyproject.toml", "setup.cfg", "MANIFEST.in"}
    assert kept == brought
