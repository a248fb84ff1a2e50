"""ffmpeg as a child process that reads a stream; its address is on no command line, and in no message."""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import time
from typing import IO, cast

from detector.sources.ffmpeg import READ_BYTES

NETWORK_ONLY = "pipe,http,https,httpproxy,tls,tcp,udp,rtp,srtp,rtsp,crypto"
"""Protocols that ffmpeg may use: a playlist must not open files. The pipe is the list with the address."""

RTSP_OPTIONS = ("rtsp_transport tcp", "allowed_media_types audio")
"""Nothing is lost over TCP, and the picture is not even sent."""

GENERIC = (
    *("Error marking filters as finished", "Conversion failed!", "Last message repeated"),
    "Warning: using insecure memory",  # a library of ffmpeg's, under the service's limits
)
"""What ffmpeg says that is no reason."""

MESSAGE_BYTES = 4096
"""How much of ffmpeg's messages is kept: a bad line may make it complain for days."""

_ADDRESS = re.compile(r"""'?[A-Za-z][A-Za-z0-9+.-]*://[^\s']*'?""")

_PREFIX = re.compile(r"^(?:\[[^]]*\]\s*|pipe:0:\s*|:\s*)*")


class FfmpegStream:
    """ffmpeg, reading one address and writing its first sound track as an AU file without an end."""

    def __init__(self, program: str, address: str) -> None:
        reading = ["-protocol_whitelist", NETWORK_ONLY, "-f", "concat", "-safe", "0", "-i", "pipe:0"]
        writing = ["-map", "0:a:0", "-c:a", "pcm_s16be", "-flush_packets", "1", "-f", "au", "pipe:1"]
        self._process = subprocess.Popen(
            [program, "-nostdin", "-v", "error", *reading, *writing],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is for the daemon, which then ends it
        )
        self.messages = b""
        """The end of what it said."""
        self.has_delivered = False
        stdin, stdout, stderr = (
            cast("IO[bytes]", stream)
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        self._streams = stdin, stdout, stderr
        self._output, self._errors = stdout.fileno(), stderr.fileno()
        self._poll = select.poll()
        for descriptor in (self._output, self._errors):
            self._poll.register(descriptor, select.POLLIN)
        with contextlib.suppress(BrokenPipeError):  # it has ended already, and says why
            stdin.write(list_of_one(address))
            stdin.close()

    def read(self, size: int, seconds: float) -> bytes:
        """The next bytes of the sound; none at the end. Raises TimeoutError where none come for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            for descriptor, _ in self._poll.poll(left * 1000):
                if descriptor == self._output:
                    data = os.read(self._output, size)
                    self.has_delivered |= bool(data)
                    return data
                self._listen_to_messages()
        raise TimeoutError(f"{seconds:.0f}")

    def read_all(self, size: int, seconds: float) -> bytes:
        """The next `size` bytes; fewer at the end. Raises TimeoutError where none come for so long."""
        found = b""
        while len(found) < size and (data := self.read(size - len(found), seconds)):
            found += data
        return found

    def drain(self) -> None:
        """The sound has ended: take what ffmpeg still says."""
        while self._listen_to_messages():
            pass

    def kill(self) -> None:
        """End it; any thread may call this."""
        self._process.kill()

    def close(self) -> None:
        """End and release it."""
        self._process.kill()
        for stream in self._streams:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self._process.wait()

    def _listen_to_messages(self) -> bool:
        """Take the next bytes of its messages; False at their end."""
        data = os.read(self._errors, READ_BYTES)
        if not data:
            with contextlib.suppress(KeyError):
                self._poll.unregister(self._errors)
        self.messages = (self.messages + data)[-MESSAGE_BYTES:]
        return bool(data)


def list_of_one(address: str) -> bytes:
    """An address as a list for ffmpeg's concat demuxer (ffmpeg-formats(1), concat)."""
    quoted = address.replace("'", r"'\''")
    options = RTSP_OPTIONS if address.lower().startswith("rtsp") else ()
    lines = ["ffconcat version 1.0", f"file '{quoted}'", *(f"option {option}" for option in options)]
    return ("\n".join(lines) + "\n").encode()


def complaint(messages: bytes) -> str:
    """ffmpeg's last message, in one line and without any address, which may hold a password."""
    lines = [line for line in messages.decode(errors="replace").splitlines() if line.strip()]
    lines = [line for line in lines if not line.strip().startswith(GENERIC)]
    if not lines:
        return ""
    if any("matches no streams" in line for line in lines):
        return "it has no sound"
    last = _PREFIX.sub("", _ADDRESS.sub("the address", lines[-1]))
    return " ".join(last.split())
