"""Takes from the daemon's live sound: one at a time, without a gap in it."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import aclosing
from pathlib import Path

from detector.files.daemon_files import make_folder
from detector.web.desk.background_job import BackgroundJob
from detector.web.desk.heard_sound import live_sound
from detector.web.desk.take_folder import TakeFolder
from detector.web.desk.take_sound import wav_bytes
from detector.web.shared_feeds import SharedFeeds


class TakeRecorder:
    """Records takes, which then wait to be kept or discarded."""

    def __init__(self, takes: TakeFolder, feeds: SharedFeeds) -> None:
        self._takes = takes
        self._feeds = feeds
        self._job = BackgroundJob("a recording")
        self._name = ""
        self._wanted = 0.0
        self._heard = 0.0

    def state(self) -> dict[str, object] | None:
        """What is recorded now; None where nothing is."""
        if not self._job.is_running:
            return None
        return {"name": self._name, "seconds": self._wanted, "done": round(self._heard, 1)}

    @property
    def error(self) -> str | None:
        """Why the last recording failed."""
        return self._job.error

    def start(self, name: str, seconds: float, source: str | None) -> dict[str, object] | None:
        """Begin; raises Refused where one runs already."""
        self._job.check_free()
        self._name, self._wanted, self._heard = name, seconds, 0.0
        self._job.begin(self._run(source))
        return self.state()

    async def stop(self) -> None:
        """End it without a take."""
        await self._job.cancel()

    async def _run(self, source: str | None) -> None:
        content = await self.recorded(source, self._wanted)
        await asyncio.to_thread(self._takes.add, self._name, content, ".wav")

    async def recorded(self, source: str | None, seconds: float) -> bytes:
        """So many seconds of sound from now on, as a WAV file; a gap begins it anew. Raises Refused."""
        samples = bytearray()
        following: int | None = None
        async with aclosing(live_sound(self._feeds, source)) as blocks:
            async for block in blocks:
                if following is not None and block.start != following:
                    samples.clear()
                following = block.start + len(block.data) // 2
                samples += block.data
                self._heard = len(samples) / 2 / block.rate
                if self._heard >= seconds:
                    return wav_bytes(bytes(samples[: 2 * round(seconds * block.rate)]), block.rate)
        raise AssertionError("live sound ends with an exception")

    async def recorded_file(self, source: str | None, seconds: float, folder: Path) -> Path:
        """The same in a new file of this folder, which the caller deletes; raises Refused, OSError."""
        content = await self.recorded(source, seconds)
        make_folder(folder)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="try-", suffix=".wav", delete=False) as file:
            file.write(content)
        return Path(file.name)
