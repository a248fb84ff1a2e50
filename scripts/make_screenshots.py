#!/usr/bin/env python3
"""Make docs/images/*.png: python -m scripts.make_screenshots [--sounds FOLDER] [--only live,feed].

The real daemon hears what is played at a virtual microphone, and the real page shows it to Chromium; the days
before are invented. The bundled recording is played, and recordings of the folder where one is given. Needs
the models, the extras [web,plot], pulseaudio, Chromium and Playwright; two minutes.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from numpy.typing import NDArray

from benchmarks import ROOT
from benchmarks.support.children import Running
from benchmarks.support.shown_page import SHOWN, ShownPage, free_port, invent_the_past
from detector.demo import recording_path
from detector.files.sound_files import look_into
from detector.sources.recording import Recording
from tests.support.browser import open_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = ROOT / "docs" / "images"
RATE = 16000
COLOURS = (160, 96, 64, 40)
"""Of a picture: as many as it can have with at most `MOST_BYTES`."""
COMMON = 32
"""The most frequent colours, those of the page's own design, stay beside them as they are."""
MOST_BYTES = 150_000
PART_SECONDS = 20
"""Of sound that is played in one piece."""

NARROW, MIDDLE, WIDE = (390, 844), (768, 1024), (1440, 900)
PASSWORD = "a password for pictures"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: a view at a size, light or dark."""

    view: str
    size: tuple[int, int]
    scheme: str = "light"

    @property
    def path(self) -> Path:
        """Where it is written."""
        dark = "-dark" if self.scheme == "dark" else ""
        return IMAGES / f"{self.view}-{self.size[0]}{dark}.png"


SHOTS = (
    *(Shot(view, size) for view in ("live", "feed", "overview") for size in (NARROW, WIDE)),
    *(Shot(view, size) for view in ("settings", "teach") for size in (NARROW, WIDE)),
    *(Shot("live", WIDE, "dark"), Shot("feed", NARROW, "dark"), Shot("overview", MIDDLE)),
    *(Shot("log-in", NARROW), Shot("log-in", WIDE)),
    *(Shot("report", NARROW), Shot("report", WIDE), Shot("report", WIDE, "dark")),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--sounds", type=Path, help="a folder of recordings that are played too")
    parser.add_argument("--only", default="", help="views, with commas between them; default: all")
    options = parser.parse_args(arguments)
    wanted = options.only.split(",") if options.only else sorted({shot.view for shot in SHOTS})
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, open_chromium() as browser:
        folder = Path(name)
        parts = write_parts(folder, options.sounds)
        shots = [shot for shot in SHOTS if shot.view in wanted]
        if any(shot.view not in ("log-in", "report") for shot in shots):
            show_page(folder, parts, browser, [s for s in shots if s.view not in ("log-in", "report")])
        if "log-in" in wanted:
            show_log_in(folder, browser, [shot for shot in shots if shot.view == "log-in"])
        if "report" in wanted:
            show_report(folder, parts, browser, [shot for shot in shots if shot.view == "report"])


def show_page(folder: Path, parts: Sequence[Path], browser: Browser, shots: Sequence[Shot]) -> None:
    """The views of a page while its daemon hears the parts."""
    invent_the_past(folder)
    with ShownPage(folder, port=free_port(), settings={"clips.speech": "keep"}) as shown:
        stopped = threading.Event()

        def play() -> None:
            while not stopped.is_set():
                for part in parts:
                    if not stopped.is_set():
                        shown.microphone.play(part)

        playing = threading.Thread(target=play)
        playing.start()
        try:
            time.sleep(2 * PART_SECONDS)
            for shot in shots:
                page = opened(browser, shot, f"{shown.url}#/{shot.view}")
                page.wait_for_timeout(25_000 if shot.view == "live" else 3000)
                if shot.view == "settings":
                    page.locator(".waiting").first.wait_for(state="detached")
                if shot.view == "teach":
                    page.wait_for_selector(".teach-steps li")
                save(page, shot)
                page.close()
        finally:
            stopped.set()
            playing.join()


def show_log_in(folder: Path, browser: Browser, shots: Sequence[Shot]) -> None:
    """What who is not logged in sees."""
    port, password = free_port(), folder / "password"
    settings = [f"web.port={port}", f"web.password_file={password}"]
    command = [sys.executable, "-m", "detector", "web", "--config", "/dev/null"]
    command += [word for setting in settings for word in ("--set", setting)]
    subprocess.run([*command, "--set-password"], input=PASSWORD + "\n", text=True, check=True)
    with Running(command) as web:
        web.seconds_until(SHOWN)
        for shot in shots:
            page = opened(browser, shot, f"http://127.0.0.1:{port}/")
            page.wait_for_timeout(1000)
            save(page, shot)
            page.close()


def show_report(folder: Path, parts: Sequence[Path], browser: Browser, shots: Sequence[Shot]) -> None:
    """A report of `analyze`."""
    recording = folder / "20261120_213000.wav"
    soundfile.write(recording, np.concatenate([soundfile.read(part)[0] for part in parts]), RATE)
    command = [sys.executable, "-m", "detector", "analyze", recording.name, "--config", "/dev/null", "-q"]
    subprocess.run([*command, "--out", "out", "--report"], cwd=folder, check=True, capture_output=True)
    for shot in shots:
        page = opened(browser, shot, (folder / "out" / "20261120_213000.report.html").as_uri())
        page.wait_for_timeout(1000)
        save(page, shot)
        page.close()


def opened(browser: Browser, shot: Shot, address: str) -> Page:
    """A page of the shot's size and colours."""
    width, height = shot.size
    scheme = "dark" if shot.scheme == "dark" else "light"
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(address)
    return page


def save(page: Page, shot: Shot) -> None:
    """Write the picture with few colours, which makes it a third as large."""
    from PIL import Image

    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    counts = sorted(picture.getcolors(1 << 24) or (), reverse=True)
    common = [part for _, colour in counts[:COMMON] for part in colour]
    for colours in COLOURS:
        palette = Image.new("P", (1, 1))
        palette.putpalette([*common, *(picture.quantize(colours).getpalette() or ())[: 3 * colours]])
        picture.quantize(palette=palette, dither=Image.Dither.NONE).save(shot.path, optimize=True)
        if shot.path.stat().st_size <= MOST_BYTES:
            break
    print(f"{shot.path.relative_to(ROOT)} {shot.path.stat().st_size // 1000} kB", flush=True)


def write_parts(folder: Path, sounds: Path | None) -> list[Path]:
    """Sound files to play, one after the other: recordings with pauses over faint noise."""
    chance = np.random.default_rng(1)
    recordings = [soundfile.read(recording_path(), dtype="float32")[0][: (PART_SECONDS - 1) * RATE]]
    recordings += [] if sounds is None else list(read_all(sounds))
    paths = []
    for place, samples in enumerate(recordings):
        noise = chance.standard_normal(len(samples) + RATE).astype(np.float32) * 0.0015
        noise[RATE // 2 : RATE // 2 + len(samples)] += samples
        paths.append(folder / f"part-{place}.wav")
        soundfile.write(paths[-1], np.clip(noise, -1, 1), RATE)
    return paths


def read_all(folder: Path) -> Iterator[NDArray[np.float32]]:
    """The recordings in a folder [full scale 1], at most `PART_SECONDS` of each."""
    for path in look_into(folder).recordings:
        recording = Recording(path=path, sample_rate=RATE, block_length=RATE)
        samples = np.concatenate([block.samples for block in recording.blocks()])
        recording.close()
        yield samples[: PART_SECONDS * RATE].astype(np.float32) / 32768.0


if __name__ == "__main__":
    main()
