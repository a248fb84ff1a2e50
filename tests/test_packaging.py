"""What an installation holds: every room, and every folder of it."""

from configparser import ConfigParser

from tests.support import ROOT

DEEPER = {"detector.models"}
"""Installed from a folder of another name."""


def test_every_package_is_installed():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    named = set(setup["options"]["packages"].split())
    found = {
        ".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "detector").rglob("__init__.py")
    }
    assert named - DEEPER == found


def test_every_file_of_the_page_is_installed():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    patterns = setup["options.package_data"]["detector.web"].replace("\n", " ").split(",")
    folder = ROOT / "detector" / "web"
    installed = {path for pattern in patterns for path in folder.glob(pattern.strip()) if path.is_file()}
    files = {path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path for path in files if path.suffix != ".py"} <= installed
