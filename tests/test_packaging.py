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
