"""A private home for the program, and processes that never outlive their test."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detector.errors import ModelError
from detector.files.data_folders import models_folder
from detector.modelstore.store import load_classifier
from tests.support import ROOT
from tests.support.program import COMMAND, Program, with_yamnet
from tests.support.virtualmic import environment_without_devices

FROM_OUTSIDE = (
    *("SOUND_DETECTOR_CONFIG", "RUNTIME_DIRECTORY", "JOURNAL_STREAM", "NOTIFY_SOCKET", "WATCHDOG_USEC"),
    *("PYTHONUNBUFFERED", "COLUMNS", "NO_COLOR"),
)
"""What the program listens to and a test does not want."""


@pytest.fixture(scope="session")
def model() -> None:
    """Skip where YAMNet has not been pulled."""
    try:
        load_classifier("yamnet").close()
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Variables of a user of whom nothing is known but the models, on a machine without a sound card."""
    runtime = tempfile.mkdtemp(prefix="sd-")  # short: a socket's path has 107 bytes
    (tmp_path / "home").mkdir()
    given = {name: value for name, value in os.environ.items() if name not in FROM_OUTSIDE}
    yield given | {
        **{
            name: environment_without_devices(tmp_path)[name]
            for name in ("ALSA_CONFIG_PATH", "JACK_NO_START_SERVER")
        },
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "home" / "config"),
        "XDG_DATA_HOME": str(tmp_path / "home" / "data"),
        "XDG_RUNTIME_DIR": runtime,
        "SOUND_DETECTOR_HOME": str(models_folder().parent),
        "PYTHONPATH": str(ROOT),
        "TZ": "UTC",
    }
    shutil.rmtree(runtime)


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Start the program, with other variables where some are given; the test's end is its end.

    It hears with YAMNet where no model is named.
    """
    with contextlib.ExitStack() as stack:

        def starting(
            *arguments: str, variables: dict[str, str] | None = None, command: tuple[str, ...] = COMMAND
        ) -> Program:
            program = Program((*command, *with_yamnet(arguments)), environment | (variables or {}), tmp_path)
            stack.callback(program.kill)
            return program

        yield starting


@pytest.fixture
def run(start: Callable[..., Program]) -> Callable[..., Program]:
    """Start the program with nothing on standard input and wait for its end: `.status`, `.out`, `.err`."""

    def running(*arguments: str, **options: object) -> Program:
        program = start(*arguments, **options)
        program.end()
        return program

    return running
