"""A microphone without a sound card: a private PulseAudio server that the real PyAudio talks to.

Device 0 is `vmic`, the monitor of a silent loudspeaker; device 1 is `default`, the same through the
server's default source. What `play` plays is what the microphone hears: bit for bit at 16 kHz mono,
resampled elsewhere. The first read of a capture stream takes one to two seconds, so play only
after a first block has come.

    with VirtualMicrophone() as microphone:
        child = subprocess.Popen([...], env=microphone.environment)
        ...
        microphone.play("clip.wav")
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

START_SECONDS = 10.0
COMMAND_SECONDS = 30.0

SERVER_CONFIG = """\
.fail
load-module module-native-protocol-unix auth-anonymous=1 socket={socket}
load-module module-null-sink sink_name=spk rate={rate} channels={channels} format=s16le
load-module module-remap-source source_name=mic master=spk.monitor
set-default-sink spk
set-default-source mic
"""

ALSA_CONFIG = """\
pcm.!default { type pulse  hint.show on  hint.description "default" }
ctl.!default { type pulse }
pcm.vmic { type pulse  device "mic"  hint { show on description "Virtual microphone" } }
"""

ALSA_CONFIG_WITHOUT_DEVICES = 'pcm.absent { type hw  card 99  hint.show on  hint.description "absent" }\n'
"""One device that cannot be opened: with no definition at all PortAudio aborts the process."""


class Unavailable(Exception):
    """The server cannot run here; the text says why, fit for a skip reason."""


def missing() -> str | None:
    """What must be installed before a virtual microphone can work; None where all is there."""
    programs = [name for name in ("pulseaudio", "pactl", "paplay") if shutil.which(name) is None]
    if programs:
        return f"{', '.join(programs)} not installed (apt install pulseaudio pulseaudio-utils)"
    folders = [Path("/usr/lib"), Path("/usr/lib64"), *Path("/usr/lib").glob("*-linux-gnu*")]
    if not any((folder / "alsa-lib" / "libasound_module_pcm_pulse.so").exists() for folder in folders):
        return "ALSA's pulse plugin is not installed (apt install libasound2-plugins)"
    return None


def environment_without_devices(folder: Path) -> dict[str, str]:
    """For processes that are to find no sound device at all; writes one file into `folder`."""
    config = folder / "no-devices.conf"
    config.write_text(ALSA_CONFIG_WITHOUT_DEVICES)
    return os.environ | {"ALSA_CONFIG_PATH": str(config), "JACK_NO_START_SERVER": "1"}


class VirtualMicrophone:
    """Start the server on entering, end it and remove its files on leaving."""

    def __init__(self, *, rate: int = 16000, channels: int = 1) -> None:
        self._rate = rate
        self._channels = channels
        self._server: subprocess.Popen[bytes] | None = None
        self._folder = Path()

    @property
    def environment(self) -> dict[str, str]:
        """For processes that are to hear it: this process's variables, and those that lead to the server."""
        return os.environ | self.variables

    @property
    def variables(self) -> dict[str, str]:
        """Only the variables that lead to the server."""
        return {
            "XDG_RUNTIME_DIR": str(self._folder / "run"),
            "HOME": str(self._folder / "home"),
            "PULSE_SERVER": f"unix:{self._socket}",
            "ALSA_CONFIG_PATH": str(self._folder / "asound.conf"),
            "JACK_NO_START_SERVER": "1",
        }

    @property
    def _socket(self) -> Path:
        return self._folder / "run" / "pulse.sock"

    def __enter__(self) -> Self:
        reason = missing()
        if reason is not None:
            raise Unavailable(reason)
        self._folder = Path(tempfile.mkdtemp(prefix="vmic-"))  # short: a socket's path has 107 bytes
        (self._folder / "run").mkdir(mode=0o700)
        (self._folder / "home").mkdir()
        (self._folder / "asound.conf").write_text(ALSA_CONFIG)
        (self._folder / "server.pa").write_text(
            SERVER_CONFIG.format(socket=self._socket, rate=self._rate, channels=self._channels)
        )
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server, also again after `kill`, and wait until it answers."""
        command = ["pulseaudio", "-n", "-F", str(self._folder / "server.pa"), "--daemonize=no"]
        command += ["--use-pid-file=no", "--exit-idle-time=-1"]
        with (self._folder / "server.log").open("wb") as log:  # a file: a full pipe would stop it
            self._server = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while self._pactl("info").returncode != 0:
            if self._server.poll() is not None or time.monotonic() > deadline:
                said = (self._folder / "server.log").read_text(errors="replace").strip().splitlines()
                raise Unavailable(f"pulseaudio does not start: {said[-1] if said else 'it says nothing'}")
            time.sleep(0.01)

    def kill(self) -> None:
        """End the server at once: every device is gone."""
        server, self._server = self._server, None
        if server is not None:
            server.kill()
            server.wait(COMMAND_SECONDS)
        self._socket.unlink(missing_ok=True)

    def unplug(self) -> None:
        """Take the microphone away and leave the server running."""
        for module in ("module-remap-source", "module-null-sink"):
            self._pactl("unload-module", module)

    def plug(self) -> None:
        """Bring back what `unplug` took away."""
        self._pactl(
            "load-module",
            "module-null-sink",
            "sink_name=spk",
            f"rate={self._rate}",
            f"channels={self._channels}",
            "format=s16le",
        )
        self._pactl("load-module", "module-remap-source", "source_name=mic", "master=spk.monitor")
        self._pactl("set-default-sink", "spk")
        self._pactl("set-default-source", "mic")

    def hang(self) -> None:
        """Stop the server without ending it: reads wait for ever."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a hanging server go on."""
        self._signal(signal.SIGCONT)

    def play(self, path: str | Path) -> None:
        """Play a sound file and return when its last sample has been played."""
        subprocess.run(
            ["paplay", "--device=spk", str(path)],
            env=self.environment,
            check=True,
            capture_output=True,
            timeout=COMMAND_SECONDS,
        )

    def _signal(self, number: signal.Signals) -> None:
        if self._server is not None:
            with suppress(ProcessLookupError):
                self._server.send_signal(number)

    def _pactl(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["pactl", *arguments],
            env=self.environment,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
