"""The files of the page: whole, small, and of this program alone."""

import gzip
import hashlib
import json
import re
import struct
from configparser import ConfigParser
from pathlib import Path

import pytest

from scripts.make_icons import BARS, DOT, ICONS, svg
from tests.support import ROOT

STATIC = ROOT / "detector/web/static"
VENDOR = STATIC / "vendor"
OWN_SCRIPTS = sorted(path for path in STATIC.rglob("*.js") if VENDOR not in path.parents)
STYLES = sorted(path for path in STATIC.rglob("*.css") if VENDOR not in path.parents)
TEXTS = json.loads((STATIC / "texts/en.json").read_text(encoding="utf-8"))
FIRST_VIEW_BYTES = 150_000
VIEWS = ("live", "feed", "overview", "settings")

IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?from\s+"([^"]+)";|^import\s+"([^"]+)";""", re.MULTILINE)
LINK = re.compile(r'(?:src|href)="([^"#]+)"')
TEXT = re.compile(r"""\bt\(\s*"([^"]+)"\s*[,)]""")


def name_of(path: Path) -> str:
    return path.relative_to(STATIC).as_posix()


def with_imports(path: Path, found: set[Path]) -> set[Path]:
    """A module and all that it imports at its start, itself or through others."""
    if path not in found:
        found.add(path)
        for match in IMPORT.finditer(path.read_text(encoding="utf-8")):
            with_imports((path.parent / (match[1] or match[2])).resolve(), found)
    return found


def first_view(view: str) -> set[Path]:
    """What a browser loads before it shows a view, pictures of sounds apart."""
    page = STATIC / "index.html"
    linked = {STATIC / address for address in LINK.findall(page.read_text(encoding="utf-8"))}
    found = {page, STATIC / "texts/en.json", *linked}
    for script in (STATIC / "main.js", STATIC / f"views/{view}.js"):
        with_imports(script, found)
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_the_first_view_is_small(view):
    sizes = {path: len(gzip.compress(path.read_bytes())) for path in first_view(view)}
    assert sum(sizes.values()) < FIRST_VIEW_BYTES
    assert not any(VENDOR in path.parents for path in sizes), "loaded only once it is needed"


def test_vendored_files_are_those_that_were_listed():
    table = (VENDOR / "VENDORED.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([^`]+)` .* `([0-9a-f]{64})` \|$", table, re.MULTILINE))
    found = {path.name: path for path in VENDOR.iterdir() if path.name != "VENDORED.md"}
    assert listed == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in found.items()}


def test_each_file_is_installed():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    patterns = setup["options.package_data"]["detector.web"].replace(",", " ").split()
    installed = {path for pattern in patterns for path in STATIC.parent.glob(pattern)}
    assert {path for path in STATIC.rglob("*") if path.is_file()} <= installed


def test_each_import_and_link_names_a_file():
    for script in OWN_SCRIPTS:
        assert all(path.is_file() for path in with_imports(script, set())), name_of(script)
    page = STATIC / "index.html"
    manifest = json.loads((STATIC / "manifest.webmanifest").read_text(encoding="utf-8"))
    linked = LINK.findall(page.read_text(encoding="utf-8")) + [icon["src"] for icon in manifest["icons"]]
    assert [address for address in linked if not (STATIC / address).is_file()] == []


def test_nothing_is_loaded_from_elsewhere():
    own = [*OWN_SCRIPTS, *STYLES, STATIC / "index.html", STATIC / "manifest.webmanifest"]
    allowed = "http://www.w3.org/2000/svg"
    for path in own:
        addresses = re.findall(
            r"""(?:https?:)?//[a-z0-9.-]+\.[a-z]+[^\s"'`)]*""", path.read_text(encoding="utf-8")
        )
        assert set(addresses) <= {allowed}, name_of(path)


def test_no_script_turns_text_into_elements_or_code():
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"
    )
    for script in OWN_SCRIPTS:
        assert forbidden.findall(script.read_text(encoding="utf-8")) == [], name_of(script)


def test_the_page_has_no_script_and_no_style_in_its_html():
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page) == []


def test_each_text_that_a_script_names_exists():
    plain = {re.sub(r"\.(zero|one|two|few|many|other)$", "", key) for key in TEXTS}
    for script in OWN_SCRIPTS:
        named = set(TEXT.findall(script.read_text(encoding="utf-8")))
        assert named <= plain | set(TEXTS), name_of(script)


def test_the_icons_are_those_of_the_script_and_have_the_size_that_is_promised():
    assert (ICONS / "icon.svg").read_text(encoding="utf-8") == svg()
    manifest = json.loads((STATIC / "manifest.webmanifest").read_text(encoding="utf-8"))
    pictures = {
        STATIC / icon["src"]: icon["sizes"] for icon in manifest["icons"] if icon["type"] == "image/png"
    }
    pictures[ICONS / "apple-touch-icon.png"] = "180x180"
    for path, sizes in pictures.items():
        assert "{}x{}".format(*struct.unpack(">II", path.read_bytes()[16:24])) == sizes, path.name


def test_the_mark_of_the_page_is_that_of_the_icons():
    drawn = re.sub(r"\s", "", (STATIC / "icons.js").read_text(encoding="utf-8"))
    assert ",".join(f"[{x},{y},{height}]" for x, y, height in BARS) in drawn
    assert "cx:{},cy:{},r:{}".format(*DOT) in drawn
