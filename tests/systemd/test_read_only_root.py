"""The service on a read-only root, with the writable places of docs/raspberry-pi.md, and without them.

The unit, its user and the folders are those of the Debian package. The tests are one story and run in their
order: what was mounted is unmounted again, one place after the other. The machine is booted twice.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.machine import Machine, Unavailable, until
from tests.support.machine_service import (
    CONFIG,
    RECORDING,
    Service,
    lay_recording,
    machine_and_model,
    service_python,
    skip,
)

pytestmark = pytest.mark.slow

PROGRAM = "/opt/sound-detector"
LIBRARIES = f"{PROGRAM}/libraries"
COMMAND = f"{PROGRAM}/venv/bin/sound-detector"
STATE = "/var/lib/sound-detector"
LOG = "/var/log/sound-detector/events.jsonl"
UNITS = "usr/lib/systemd/system"
ADDITION = "/run/systemd/system/sound-detector.service.d/test.conf"
"""Where `systemctl edit --runtime` puts it; /etc cannot be written."""

SETTINGS = RECORDING.replace("socket]", f"'log:{LOG}']") + "history: {enabled: true}\n"

SCRIPT = f"""\
#!{PROGRAM}/venv/bin/python
import sys
from detector.__main__ import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A root with the program where the package puts it, ready to be booted read-only."""
    with machine_and_model() as (machine, model):
        lay_program(machine, model)
        lay_service(machine)
        yield machine.root


def lay_program(machine: Machine, model: Path) -> None:
    """This checkout and the libraries of these tests, run by an interpreter that the service can see."""
    program = machine.root / PROGRAM[1:]
    python = service_python()
    version = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if version != str(sys.version_info[:2]):
        raise Unavailable(f"{python} is not of the version of the libraries here")
    done = machine.run_before_boot(python, "-m", "venv", "--without-pip", f"{PROGRAM}/venv")
    assert done.returncode == 0, done.stdout
    shutil.copytree(ROOT / "detector", program / "checkout/detector")
    shutil.copytree(ROOT / "models", program / "checkout/detector/models")
    (program / "libraries").mkdir()
    (packages,) = (program / "venv/lib").glob("python3*/site-packages")
    (packages / "of-the-test.pth").write_text(f"{PROGRAM}/checkout\n{LIBRARIES}\n")
    command = machine.root / COMMAND[1:]
    command.write_text(SCRIPT)
    command.chmod(0o755)
    (program / "models/yamnet").mkdir(parents=True)
    for file in (*(ROOT / "models/yamnet").iterdir(), model):
        shutil.copy(file, program / "models/yamnet")


def lay_service(machine: Machine) -> None:
    """Unit, user, settings and the folders on which the documented places are mounted."""
    additions = machine.root / UNITS / "sound-detector.service.d"
    additions.mkdir(parents=True)
    shutil.copy(ROOT / "systemd/sound-detector.service", machine.root / UNITS)
    shutil.copy(ROOT / "packaging/deb/service-user.conf", additions)
    user = ("useradd", "--system", "--gid=audio", f"--home-dir={STATE}", "--no-create-home", "sound-detector")
    done = machine.run_before_boot(*user)
    assert done.returncode == 0, done.stdout
    # As after a first start, which was before the root became read-only.
    done = machine.run_before_boot(
        "install", "-d", "--mode=750", "--owner=sound-detector", "--group=audio", STATE
    )
    assert done.returncode == 0, done.stdout
    (machine.root / "var/lib/private").mkdir(mode=0o700, exist_ok=True)
    config = machine.root / CONFIG
    config.parent.mkdir(parents=True)
    config.write_text(SETTINGS)
    lay_recording(machine.root, times=20)


@pytest.fixture(scope="module")
def stick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is mounted where the history is, and outlives the machine."""
    return tmp_path_factory.mktemp("stick")


def boot(laid: Path, stick: Path) -> Machine:
    """The root read-only, with the documented places."""
    machine = Machine(laid)
    try:
        machine.boot(
            *("--read-only", "--tmpfs=/var/log:size=20m", f"--bind={stick}:{STATE}"),
            f"--bind-ro={sysconfig.get_path('purelib')}:{LIBRARIES}",
        )
    except Unavailable as error:
        machine.close()
        skip(str(error))
    return machine


@pytest.fixture(scope="module")
def booted(laid: Path, stick: Path) -> Iterator[list[Machine]]:
    """The machine that runs, of which a test may make another one."""
    machines = [boot(laid, stick)]
    yield machines
    machines[-1].close()


@pytest.fixture
def service(booted: list[Machine]) -> Iterator[Service]:
    yield (service := Service(booted[-1]))
    print(service.journal())


def start(service: Service) -> None:
    service.machine.run("systemctl", "reset-failed", "sound-detector")
    service.systemctl("start", "sound-detector")
    assert "Speech" in service.until_status("heard")


def stored(service: Service) -> list[int]:
    """The numbers of the events in the history, which root reads where the document says that it is."""
    asked = service.machine.run(
        "env", f"STATE_DIRECTORY={STATE}", COMMAND, "history", "--json", "--since", "2020-01-01", "--limit=0"
    )
    return [json.loads(line)["seq"] for line in asked.stdout.splitlines() if line.startswith("{")]


def test_with_the_documented_places_it_hears_and_writes_there(service: Service, stick: Path) -> None:
    for folder in ("/etc", "/opt", "/usr", "/var", "/var/lib"):
        assert "Read-only file system" in service.machine.run("touch", f"{folder}/test").stdout, folder
    assert service.machine.run("chown", "sound-detector:audio", STATE).returncode == 0
    start(service)
    assert until(lambda: stored(service), seconds=40, what="an event in the history")
    assert (stick / "history.db").stat().st_size > 0
    assert "Speech" in service.machine.run("cat", LOG).stdout
    assert "Read-only" not in service.journal()


def test_the_history_is_there_after_a_restart_and_goes_on(
    booted: list[Machine], laid: Path, stick: Path
) -> None:
    Service(booted[-1]).systemctl("stop", "sound-detector")
    before = stored(Service(booted[-1]))
    booted[-1].close()
    booted[-1] = boot(laid, stick)
    service = Service(booted[-1])
    assert stored(service) == before
    assert service.machine.run("cat", LOG).returncode != 0  # it was in memory
    start(service)
    after = until(lambda: set(stored(service)) - set(before), seconds=40, what="a new event in the history")
    assert min(after) > max(before)


def test_without_a_place_for_the_history_it_hears_and_one_line_says_so(service: Service) -> None:
    service.systemctl("stop", "sound-detector")
    assert service.machine.run("umount", STATE).returncode == 0
    start(service)
    until(lambda: "history.failed" in service.journal(), seconds=40, what="the line")
    (line,) = (line for line in service.journal().splitlines() if "history." in line)
    assert "Read-only file system" in line


def test_without_a_place_for_logs_it_does_not_start_and_the_journal_says_why(service: Service) -> None:
    service.systemctl("stop", "sound-detector")
    service.machine.run("journalctl", "--relinquish-var")  # it goes on in /run
    assert service.machine.run("umount", "/var/log").returncode == 0
    assert service.machine.run("systemctl", "start", "sound-detector").returncode != 0
    assert "Failed to set up special execution directory in /var/log" in service.journal()


def test_with_the_documented_addition_it_does_without_that_place(service: Service) -> None:
    service.machine.run("systemctl", "stop", "sound-detector")
    service.machine.run("mkdir", "--parents", str(Path(ADDITION).parent))
    service.machine.run("sh", "-c", f"printf '[Service]\\nLogsDirectory=\\n' >{ADDITION}")
    service.systemctl("daemon-reload")
    start(service)
    (line,) = (line for line in service.journal().splitlines() if "sink_failed" in line)
    assert f"log:{LOG} cannot be written: Read-only file system" in line
