"""The service under a real systemd: installed by its own installer, watched, reloaded, killed and removed.

The tests are one story and run in their order on one machine (`machine.py`). Whatever the service does that
its system call filter forbids would kill it here; and the watchdog waits for 3 s instead of 30.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT, virtualmic
from tests.support.machine import Machine, Unavailable, until
from tests.support.machine_service import (
    CONFIG,
    DROP_INS,
    RECORDING,
    Service,
    lay_recording,
    machine_and_model,
    service_python,
)
from tests.support.page_requests import CHANGE_A_SETTING

pytestmark = pytest.mark.slow

SOURCES = (
    *("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "config.yaml"),
    *("detector", "models", "systemd", "scripts"),
)
CHECKOUT = "/srv/sound-detector"
MICROPHONE = "/srv/microphone"
WEB_DROP_INS = "etc/systemd/system/sound-detector-web.service.d"
CREDENTIALS = "/run/credentials/sound-detector.service"
CLIPS = "/var/lib/sound-detector/clips"
SOCKET = "/run/sound-detector/events.sock"

DYNAMIC_USERS = range(61184, 65520)
"""systemd.exec(5) on DynamicUser."""

PLANTER = 61234
"""A user such as an earlier service may have run as."""

STRICT = """\
[Service]
WatchdogSec=3
SystemCallErrorNumber=kill
SystemCallFilter=mbind
"""
"""mbind: when numpy is loaded, OpenBLAS asks for memory near its processor, and does without."""

STRICT_WEB = """\
[Service]
SystemCallErrorNumber=kill
SystemCallFilter=mbind setpriority
"""
"""setpriority: what the page starts asks to be nice, and does without where it may not."""

PIPED = """\
[Service]
ExecStart=
ExecStart=/bin/sh -c 'exec 0<>$RUNTIME_DIRECTORY/sound; exec sound-detector run --input -'
Environment=PATH=/usr/bin:/bin:/opt/sound-detector/venv/bin
ExecStartPre=/bin/sh -c 'rm -f $RUNTIME_DIRECTORY/sound && mkfifo $RUNTIME_DIRECTORY/sound'
"""
"""Sound comes when the test sends some, and the reader waits for ever where it does not."""

ENDLESS = PIPED.replace(
    "exec sound-detector",
    "while head --bytes=16000 /dev/zero; do sleep 0.5; done >$RUNTIME_DIRECTORY/sound & exec sound-detector",
)
"""Silence in real time, for as long as a slow installer takes: the recording would end meanwhile."""

ASK_THE_PAGE = """\
import sys, urllib.request
for path in sys.argv[1:]:
    with urllib.request.urlopen("http://127.0.0.1:8790" + path, timeout=30) as answer:
        print(answer.read().decode())
"""

LOCK_AND_DELETE_A_CLIP = """\
import json, urllib.error, urllib.request
page = "http://127.0.0.1:8790/api/v1/"
token = json.load(urllib.request.urlopen(page + "me"))["csrf"]
headers = {"X-CSRF-Token": token, "Content-Type": "application/json"}
clip = "clips/" + json.load(urllib.request.urlopen(page + "clips"))["clips"][0]["id"]
def ask(method, path, **fields):
    body = json.dumps(fields).encode() if fields else None
    try:
        request = urllib.request.Request(page + path, body, headers, method=method)
        print(urllib.request.urlopen(request, timeout=60).status)
    except urllib.error.HTTPError as error:
        print(error.code)
ask("POST", clip + "/lock", locked=True)
ask("DELETE", clip)
ask("POST", clip + "/lock", locked=False)
ask("DELETE", clip)
"""

PAGE_AND_DAEMON = ("sound-detector-web", "sound-detector")

ASKS_TO_BE_REAL_TIME = "SystemCallFilter=sched_setscheduler"
"""PulseAudio's client asks whether it may be a real-time thread, and does without."""


@pytest.fixture(scope="module")
def microphone() -> Iterator[virtualmic.VirtualMicrophone | None]:
    try:
        with virtualmic.VirtualMicrophone() as microphone:
            yield microphone
    except virtualmic.Unavailable:
        yield None


def folder_of(microphone: virtualmic.VirtualMicrophone) -> Path:
    return Path(microphone.variables["ALSA_CONFIG_PATH"]).parent


@pytest.fixture(scope="module")
def installed(microphone: virtualmic.VirtualMicrophone | None) -> Iterator[Service]:
    """A machine that has booted with the service installed and not yet started."""
    with machine_and_model() as (machine, model):
        install(machine, model)
        arguments = []
        if microphone is not None:
            folder = folder_of(microphone)
            folder.chmod(0o755)
            (folder / "run").chmod(0o755)
            arguments = [f"--bind={folder}:{MICROPHONE}"]
        machine.boot(*arguments)
        yield Service(machine)


def install(machine: Machine, model: Path) -> None:
    checkout = machine.root / CHECKOUT.lstrip("/")
    checkout.mkdir(parents=True)
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, checkout / name)
    shutil.copy(model, machine.root / "srv/yamnet.tflite")
    state = machine.root / "var/lib/sound-detector"
    plant(machine, state, owner=PLANTER)
    done = machine.run_before_boot(
        f"{CHECKOUT}/scripts/install_service.sh", PYTHON=service_python(), MODEL="/srv/yamnet.tflite", WEB="1"
    )
    if "No matching distribution" in done.stdout or "Could not find a version" in done.stdout:
        raise Unavailable("pip finds no packages here: the installer needs the network")
    assert done.returncode == 0, done.stdout
    check_nothing_was_gained(machine, state)
    shutil.rmtree(state)
    (machine.root / DROP_INS).mkdir(parents=True)
    (machine.root / DROP_INS / "strict.conf").write_text(STRICT)
    (machine.root / WEB_DROP_INS).mkdir()
    (machine.root / WEB_DROP_INS / "strict.conf").write_text(STRICT_WEB)


def plant(machine: Machine, state: Path, *, owner: int) -> None:
    """Put into the service's folder what its user could put there to become root.

    A description of a known name that lets pip build a package, and links where model files are written.
    """
    (machine.root / "srv/precious").write_text("precious")
    with tarfile.open(machine.root / "srv/evil-1.0.tar.gz", "w:gz") as sdist:
        entry = tarfile.TarInfo("evil-1.0/setup.py")
        code = b"open('/srv/ran', 'w')"
        entry.size = len(code)
        sdist.addfile(entry, io.BytesIO(code))
    folder = state / "models/yamnet"
    shutil.copytree(ROOT / "models/yamnet", folder)
    text = (folder / "model.yaml").read_text()
    pip = "sources: [{pip: 'evil @ file:///srv/evil-1.0.tar.gz', member: x}]\n    ignored:"
    (folder / "model.yaml").write_text(text.replace("sources: #", pip, 1))
    for name in ("yamnet.tflite", "yamnet.tflite.part", "yamnet.onnx.json"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to("/srv/precious")
    (state / "models/mn04").symlink_to("/srv")
    for path in (state, *state.rglob("*")):
        os.chown(path, owner, owner, follow_symlinks=False)


def check_nothing_was_gained(machine: Machine, state: Path) -> None:
    """No code ran, nothing was written through a link, and what was planted lies as it lay."""
    assert not (machine.root / "srv/ran").exists()
    assert (machine.root / "srv/precious").read_text() == "precious"
    assert (state / "models/yamnet/yamnet.tflite.part").is_symlink()
    assert not list((machine.root / "srv").glob("mn04*"))
    models = machine.root / "opt/sound-detector/models"
    assert (models / "yamnet/yamnet.tflite").stat().st_size > 1_000_000
    assert {path.lstat().st_uid for path in (models, *models.rglob("*"))} == {0}


@pytest.fixture
def service(installed: Service) -> Iterator[Service]:
    """The installed service; what it did is shown where the test fails."""
    cursor = installed.machine.run("journalctl", "--lines=0", "--show-cursor").stdout.rpartition(
        "-- cursor: "
    )[2]
    yield installed
    print(installed.journal(f"--after-cursor={cursor.strip()}"))


@pytest.fixture
def recording(installed: Service) -> str:
    """Settings that listen to the bundled recording as if it happened now, again and again for 21 minutes.

    Once it ends the service starts anew, which a slow machine would reach in the middle of a test.
    """
    lay_recording(installed.root, times=60)
    return RECORDING


def test_the_installer_enables_it_and_puts_things_where_promised(service: Service) -> None:
    assert service.machine.run("systemctl", "is-enabled", "sound-detector").stdout.strip() == "enabled"
    assert "\nsinks: [stdout:text, socket]\n" in (service.root / CONFIG).read_text()
    assert (service.root / "opt/sound-detector/models/yamnet/yamnet.tflite").is_file()


def test_it_is_ready_when_sound_flows_and_not_before(service: Service) -> None:
    service.start(config="sinks: [stdout, socket]\n", drop_in=PIPED, wait=False)
    until(lambda: "socket.listening" in service.journal("--boot"), seconds=20, what="the program runs")
    assert service.show("ActiveState") == "activating"
    send_sound(service)
    service.until_state("active")
    assert service.until_status("listening")


def test_the_watchdog_kills_it_when_the_pipeline_makes_no_progress(service: Service) -> None:
    """The process is well, its threads wait as they should: only the sound has stopped."""
    service.until_restarted(1)
    assert "Watchdog timeout" in service.journal()
    until(lambda: service.show("ActiveState") == "activating", seconds=20, what="it starts again")
    send_sound(service)
    service.until_state("active")


def send_sound(service: Service) -> None:
    """Two seconds of silence, as soon as somebody has made the pipe."""
    pipe = "/run/sound-detector/sound"
    send = f"test -p {pipe} && head --bytes=64000 /dev/zero >{pipe}"
    until(
        lambda: service.machine.run("timeout", "5", "sh", "-c", send).returncode == 0,
        seconds=30,
        what="the pipe",
    )


def test_it_hears_a_recording_and_says_so_in_its_status(service: Service, recording: str) -> None:
    service.start(config=recording)
    assert service.show("ActiveState") == "active"
    assert "Speech" in service.until_status("heard")


def test_it_keeps_clips_in_its_own_folder(service: Service, recording: str) -> None:
    """libsndfile's callbacks would need memory that is writable and executable, which the service has not."""
    # The writer of clips asks for a lower priority, and does without: denied as in the real unit.
    service.start(
        config=recording + f"clips: {{folder: {CLIPS}, speech: keep, postroll_seconds: 0.5}}\n",
        drop_in="[Service]\nSystemCallErrorNumber=EPERM\n",
    )
    kept = until(
        lambda: service.machine.run("sh", "-c", f"ls {CLIPS}/*/*.flac 2>/dev/null").stdout,
        seconds=40,
        what="a clip",
    )
    assert service.machine.run("head", "--bytes=4", kept.splitlines()[0]).stdout == "fLaC"
    assert "clips.fault" not in service.journal()
    service.start(config=recording)


def test_the_page_shows_what_the_service_heard(service: Service, recording: str) -> None:
    """It is another user, who sees the daemon's folder and changes nothing there; and it stops in time."""
    service.start(config=recording + "history: {enabled: true}\n")
    service.until_status("heard")
    service.systemctl("start", "sound-detector-web")
    python = "/opt/sound-detector/venv/bin/python"
    paths = ("/healthz", "/api/v1/me", "/api/v1/events?limit=1", "/api/v1/settings")
    asked = service.machine.run(python, "-c", ASK_THE_PAGE, *paths).stdout
    health, me, events, settings = (json.loads(line) for line in asked.splitlines())
    assert health == {"status": "ok", "daemon": "listening"}
    assert (me["role"], me["password_set"]) == ("owner", False)
    assert len(events["events"]) == 1
    assert (settings["path"], settings["writable"], settings["faults"]) == (f"/{CONFIG}", False, [])

    shown = ("systemctl", "show", "--value", "--property=MainPID", "sound-detector-web")
    process = service.machine.run(*shown).stdout.strip()
    user = service.machine.run("stat", "--format=%u", f"/proc/{process}").stdout.strip()
    assert int(user) in DYNAMIC_USERS
    assert user != service.machine.run("stat", "--format=%u", SOCKET).stdout.strip()
    enter = ["nsenter", f"--target={process}", "--mount", "--root", "--"]
    become = ["setpriv", f"--reuid={user}", "--regid=audio", "--clear-groups", "--"]
    state = "/var/lib/sound-detector"
    kept = service.machine.run(*enter, *become, "find", f"{state}/", "-type", "f", "-readable").stdout
    assert f"{state}/history.db" in kept
    assert ".flac" in kept
    assert service.machine.run(*enter, *become, "find", f"{state}/", "-writable").stdout.strip() == ""
    service.systemctl("stop", "sound-detector-web")


def test_the_page_gets_its_password_from_the_manager(service: Service) -> None:
    setting = "--set-password --set web.password_file=/etc/sound-detector/web-password"
    command = f"printf 'correct horse\\n' | sound-detector web {setting}"
    assert service.machine.run("sh", "-c", command).returncode == 0
    service.systemctl("restart", "sound-detector-web")
    asked = service.machine.run(
        "/opt/sound-detector/venv/bin/python", "-c", ASK_THE_PAGE, "/api/v1/me", "/api/v1/events"
    ).stdout
    assert '"role":null' in asked
    assert "HTTP Error 401" in asked
    service.systemctl("stop", "sound-detector-web")


def test_the_page_that_may_changes_settings_and_clips_and_the_daemon_follows(
    service: Service, recording: str
) -> None:
    """As `make install-service WEB=settings` does: settings and clips may be changed, and nothing else."""
    (service.root / "etc/sound-detector/web-password").unlink()
    service.start(config=recording + f"clips: {{folder: {CLIPS}}}\n")
    done = service.machine.run(f"{CHECKOUT}/scripts/page_settings.sh", "on")
    assert done.returncode == 0, done.stdout
    service.until_status("listening", "heard")
    assert not (service.root / CONFIG).exists()
    assert (service.root / f"{CONFIG}.before-page").is_file()

    python = "/opt/sound-detector/venv/bin/python"
    changed = service.machine.run(python, "-c", CHANGE_A_SETTING, "0.42")
    assert '"applied"' in changed.stdout, changed.stdout
    settings = service.machine.run("cat", "/var/lib/private/sound-detector-web/config.yaml").stdout
    assert "threshold_on: 0.42" in settings
    until(lambda: "daemon.reload" in service.journal(), seconds=20, what="a reload")
    deleted = service.machine.run(python, "-c", LOCK_AND_DELETE_A_CLIP)
    assert deleted.stdout.split() == ["200", "409", "200", "204"], deleted.stdout

    shown = ("systemctl", "show", "--value", "--property=MainPID")
    page, daemon = (service.machine.run(*shown, name).stdout.strip() for name in PAGE_AND_DAEMON)
    users = {service.machine.run("stat", "--format=%u", f"/proc/{each}").stdout for each in (page, daemon)}
    (user,) = (text.strip() for text in users)
    assert int(user) in DYNAMIC_USERS
    become = ["--", "setpriv", f"--reuid={user}", "--regid=audio", "--clear-groups", "--"]
    inside = ["nsenter", f"--target={page}", "--mount", "--root", *become]
    writable = service.machine.run(*inside, "find", "/var/lib/sound-detector/", "-writable").stdout.split()
    assert writable
    assert [path for path in writable if not path.startswith(CLIPS)] == []
    service.machine.run(*inside, "mkdir", "/var/lib/sound-detector-web/models/my-sounds")
    inside[1] = f"--target={daemon}"
    assert "my-sounds" in service.machine.run(*inside, "ls", "/var/lib/sound-detector/models").stdout
    written = service.machine.run(*inside, "find", "/var/lib/sound-detector-web/", "-writable").stdout
    assert written.strip() == ""

    service.systemctl("stop", "sound-detector-web")
    done = service.machine.run(f"{CHECKOUT}/scripts/page_settings.sh", "off")
    assert done.returncode == 0, done.stdout
    assert "threshold_on: 0.42" in (service.root / CONFIG).read_text()
    service.systemctl("stop", "sound-detector-web")
    service.start(config=recording)


def test_members_of_the_group_audio_subscribe(service: Service) -> None:
    listen = "timeout 60 sound-detector listen --json | grep -m 1 '\"start\"'"
    event = service.machine.run("sh", "-c", listen, groups="audio")
    assert '"source":"recording"' in event.stdout.replace('": "', '":"'), event.stdout


def test_others_do_not(service: Service) -> None:
    connect = f"import socket; socket.socket(socket.AF_UNIX).connect({SOCKET!r})"
    assert "PermissionError" in service.machine.run("python3", "-c", connect, groups="").stdout
    assert service.machine.run("python3", "-c", connect, groups="audio").returncode == 0


def test_it_runs_as_nobody_who_outlives_it(service: Service) -> None:
    status = service.machine.run("cat", f"/proc/{service.show('MainPID')}/status").stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert int(fields["Uid"].split()[0]) in DYNAMIC_USERS
    assert int(fields["CapBnd"], 16) == 0
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


def test_its_folders_are_closed_to_others(service: Service) -> None:
    paths = ("/run/sound-detector/", SOCKET, "/var/lib/sound-detector/", "/var/log/sound-detector/")
    modes = service.machine.run("stat", "--format=%a %G", *paths).stdout.splitlines()
    assert modes == ["750 audio", "660 audio", "750 audio", "750 audio"]


def test_a_reload_leaves_the_process_alone(service: Service) -> None:
    process = service.show("MainPID")
    service.systemctl("reload", "sound-detector")
    until(lambda: "daemon.reloaded" in service.journal(), seconds=20, what="the settings are read anew")
    service.until_state("active")
    assert (service.show("MainPID"), service.show("NRestarts")) == (process, "0")


def test_a_reload_with_wrong_settings_leaves_the_old_ones(service: Service, recording: str) -> None:
    process = service.show("MainPID")
    (service.root / CONFIG).write_text(recording + "events: {threshold_on: 7}\n")
    service.systemctl("reload", "sound-detector")
    until(lambda: "daemon.reload_refused" in service.journal(), seconds=20, what="the refusal")
    service.until_state("active")
    assert service.show("MainPID") == process
    (service.root / CONFIG).write_text(recording)


def test_a_stopped_process_is_killed_and_comes_back(service: Service) -> None:
    """SIGSTOP: not even a timer inside it would run."""
    process = service.show("MainPID")
    service.systemctl("kill", "--signal=STOP", "sound-detector")
    service.until_restarted(1)
    service.until_state("active")
    assert service.show("MainPID") not in ("0", process)
    assert "heard" in service.until_status("heard")


def test_it_comes_back_when_it_is_killed(service: Service) -> None:
    before = int(service.show("NRestarts"))
    service.systemctl("kill", "--signal=KILL", "sound-detector")
    service.until_restarted(before + 1)
    service.until_state("active")


def test_an_upgrade_that_fails_leaves_what_runs(service: Service) -> None:
    """There is no network in here."""
    service.start(config="sinks: [stdout, socket]\n", drop_in=ENDLESS)
    process = service.show("MainPID")
    done = service.machine.run(
        "env", "PIP_RETRIES=0", "PIP_NO_INDEX=1", f"{CHECKOUT}/scripts/install_service.sh"
    )
    assert done.returncode != 0
    assert (service.show("ActiveState"), service.show("MainPID")) == ("active", process)
    assert service.show("NRestarts") == "0"
    assert len(list((service.root / "opt/sound-detector/versions").iterdir())) == 1


def test_it_stops_in_time(service: Service) -> None:
    """After TimeoutStopSec systemd would kill it, and the result would be `timeout`."""
    service.systemctl("stop", "sound-detector")
    assert (service.show("ActiveState"), service.show("Result")) == ("inactive", "success")
    assert service.show("ExecMainStatus") == "0"
    assert service.machine.run("test", "-e", SOCKET).returncode != 0


def test_wrong_settings_are_told_and_not_tried_again(service: Service) -> None:
    service.start(config="events: {threshold_on: 7}\n", wait=False)
    service.until_state("failed")
    assert (service.show("ExecMainStatus"), service.show("NRestarts")) == ("2", "0")
    assert "threshold_on" in service.journal("--lines=10")


def test_without_a_microphone_it_is_up_and_says_what_it_waits_for(service: Service) -> None:
    # The sound libraries try calls where there is no device, and do without: denied as in the real unit.
    service.start(config="sinks: [stdout:text, socket]\n", drop_in="[Service]\nSystemCallErrorNumber=EPERM\n")
    assert service.show("ActiveState") == "active"
    assert "no microphone" in service.until_status("waiting")
    assert "waiting" in service.machine.run("sound-detector", "status", groups="audio").stdout
    assert service.show("NRestarts") == "0"


def test_it_hears_a_microphone_and_comes_back_when_that_hangs(
    service: Service, microphone: virtualmic.VirtualMicrophone | None
) -> None:
    if microphone is None:
        pytest.skip(virtualmic.missing() or "the virtual microphone does not start")
    service.start(config="sinks: [stdout:text, socket]\n", drop_in=hears(microphone))
    microphone.play(ROOT / "detector/demo/demo.flac")
    assert "heard" in service.until_status("heard")
    microphone.hang()
    try:
        service.until_restarted(1)
    finally:
        microphone.resume()
    service.until_state("active", seconds=40)
    assert service.until_status("listening", "silent")  # nothing is played: it is muted 2 s later


def hears(microphone: virtualmic.VirtualMicrophone) -> str:
    """An addition to the unit that leads to the microphone's server."""
    variables = {
        name: value.replace(str(folder_of(microphone)), MICROPHONE)
        for name, value in microphone.variables.items()
    }
    variables |= {"HOME": "/var/lib/sound-detector", "XDG_RUNTIME_DIR": "/run/sound-detector"}
    lines = [f"Environment={name}={value}" for name, value in variables.items()]
    return "\n".join(["[Service]", *lines, ASKS_TO_BE_REAL_TIME, ""])


def test_with_its_addition_it_serves_tcp_and_gets_its_token_from_the_manager(
    service: Service, recording: str
) -> None:
    """The token belongs to root and is closed to everybody else; the service sees a copy."""
    addition = (
        (ROOT / "systemd/network.conf").read_text().replace("#LoadCredential=token:", "LoadCredential=token:")
    )
    token = service.root / "etc/sound-detector/token"
    token.write_text("0123456789abcdef0123456789abcdef\n")
    token.chmod(0o600)
    sinks = (
        f"[{{kind: socket, target: 'tcp://0.0.0.0:8765', token_file: {CREDENTIALS}/token, insecure: true}}]"
    )
    service.start(config=recording.replace("[stdout:text, socket]", sinks), drop_in=addition)
    listen = (
        "sound-detector listen --insecure --json --token-file /etc/sound-detector/token tcp://127.0.0.1:8765"
    )
    event = service.machine.run("sh", "-c", f"timeout 60 {listen} | grep -m 1 '\"start\"'")
    assert "recording" in event.stdout, event.stdout


def test_it_writes_in_its_own_folders_alone(service: Service) -> None:
    """Seen from inside its sandbox, with its rights, while it waits for sound."""
    service.start(config="sinks: [stdout, socket]\n", drop_in=PIPED, wait=False)
    until(lambda: service.show("MainPID") != "0", seconds=20, what="a process is there")
    process = f"/proc/{service.show('MainPID')}"

    def command_line() -> str:
        return service.machine.run("cat", f"{process}/cmdline").stdout

    # Before it is the program it is systemd, which is still building the sandbox.
    until(lambda: "sound-detector" in command_line(), seconds=20, what="the program runs")
    fields = ("Uid", "Gid")
    status = service.machine.run("cat", f"{process}/status").stdout
    user, group = (line.split()[1] for line in status.splitlines() if line.startswith(fields))
    enter = ["nsenter", f"--target={service.show('MainPID')}", "--mount", "--root", "--"]
    become = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--"]
    look = ["find", "/", "-path", "/proc", "-prune", "-o", "-type", "d", "-writable", "-print"]
    found = set(service.machine.run(*enter, *become, *look).stdout.splitlines())
    own = ("/run/sound-detector", "/var/lib/private/sound-detector", "/var/log/private/sound-detector")
    outside = {path for path in found if path.startswith("/") and not path.startswith(own)}
    assert outside == {"/tmp", "/var/tmp"}, sorted(outside)
    assert found >= set(own)


def test_what_its_user_plants_leads_root_nowhere(service: Service) -> None:
    """The documented commands, after the service's user has put into its folder whatever it likes."""
    state = service.root / "var/lib/private/sound-detector"
    plant(service.machine, state, owner=state.stat().st_uid)
    wrong = "env", "SOUND_DETECTOR_HOME=/var/lib/sound-detector"
    command = "/usr/local/bin/sound-detector"
    refused = service.machine.run(*wrong, command, "models", "pull", "yamnet", "--from", "/srv/yamnet.tflite")
    assert refused.returncode == 0 or "root neither reads models there nor writes any" in refused.stdout
    for arguments in (("list",), ("verify", "yamnet"), ("pull", "yamnet"), ("info", "yamnet")):
        for environment in ((), wrong):
            done = service.machine.run(*environment, command, "models", *arguments)
            assert done.returncode == 0, done.stdout
    check_nothing_was_gained(service.machine, state)
    shutil.rmtree(state / "models")


def test_no_system_call_was_denied(service: Service) -> None:
    denied = ("--boot", "--grep=status=31/SYS|code=dumped", "--unit=sound-detector-web")
    assert "SYS" not in service.journal(*denied)


def test_removal_leaves_settings_and_models(service: Service) -> None:
    done = service.machine.run(f"{CHECKOUT}/scripts/uninstall_service.sh")
    assert done.returncode == 0, done.stdout
    assert service.show("LoadState") == "not-found" or service.show("ActiveState") == "inactive"
    assert [path.name for path in (service.root / "opt/sound-detector").iterdir()] == ["models"]
    assert not (service.root / "usr/local/bin/sound-detector").is_symlink()
    assert (service.root / CONFIG).is_file()
    assert (service.root / "opt/sound-detector/models/yamnet/yamnet.tflite").is_file()


def test_a_purge_leaves_nothing(service: Service) -> None:
    done = service.machine.run("env", "PURGE=1", f"{CHECKOUT}/scripts/uninstall_service.sh")
    assert done.returncode == 0, done.stdout
    left = [
        *(service.root / "etc").rglob("*sound-detector*"),
        *(service.root / "var/lib").rglob("*sound-detector*"),
        *(service.root / "opt").rglob("*sound-detector*"),
    ]
    assert left == []
