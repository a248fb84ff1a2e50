"""Object stores and other machines by fsspec (extra `[remote]`): folders, and files in ranges of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from typing import Any, NoReturn

from detector.errors import DetectorError, UnsupportedFormat
from detector.remote.deadline import DeadlinePassed, IsLate, within
from detector.remote.range_reader import PlaceUnreachable, Retryable, Stamp, changed
from detector.remote.remote_address import STORES, RemoteAddress, redacted

DEADLINE_SECONDS = 120.0
"""Time for an answer, beside what its bytes take at the slowest."""
LIST_SECONDS = 1800.0
"""Time for a whole folder."""
SLOWEST = 32 * 1024

VERSION_KEYS = ("ETag", "etag", "e_tag", "content_md5", "md5Hash", "checksum", "fileId")
TIME_KEYS = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


class StoreRanges:
    """Fills `RangeReader` for one file; `file_system` is for tests."""

    def __init__(self, address: RemoteAddress, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._address = address
        self._deadline_seconds = deadline_seconds
        self._opened: tuple[Any, str] | None = None

    def stamp(self) -> Stamp:
        """As the store's listing has it."""
        system, path = self._system()

        def ask(_: IsLate) -> Any:  # noqa: ANN401 (of a package that may be absent)
            system.invalidate_cache()
            return system.info(path)

        return stamp_of(self._explained(ask, self._deadline_seconds))

    def is_folder(self) -> bool:
        """Whether the address is of a folder; False where there is nothing."""
        system, path = self._system()
        if self._address.url.endswith("/"):
            return True
        return bool(self._explained(lambda _: system.isdir(path), self._deadline_seconds))

    def read(self, start: int, stop: int, stamp: Stamp) -> bytes:
        """As RangeReader says; of another version it notices only that it is shorter."""
        system, path = self._system()
        seconds = self._deadline_seconds + (stop - start) / SLOWEST
        content: bytes = self._explained(lambda _: system.cat_file(path, start=start, end=stop), seconds)
        if len(content) != stop - start:
            if not self.stamp().is_same(stamp):
                raise changed(self._address)
            raise Retryable(f"{len(content)} of {stop - start} bytes came")
        return content

    def files(self) -> Iterator[tuple[str, Stamp]]:
        """All files in the folder and below: the way from the folder, and the version."""
        system, path = self._system()
        found = self._explained(lambda _: system.find(path, detail=True), LIST_SECONDS)
        base = path.rstrip("/") + "/"
        for name, info in found.items():
            if name.startswith(base):
                yield name[len(base) :], stamp_of(info)

    def _system(self) -> tuple[Any, str]:
        """The file system, and the path in it; raises DetectorError where a package is missing."""
        if self._opened is None:
            scheme = self._address.scheme
            try:
                core = import_module("fsspec.core")
            except ImportError:
                needed = " ".join(("'sound-detector[remote]'", STORES[scheme])).strip()
                raise DetectorError(f"{scheme}:// needs the package fsspec: pip install {needed}") from None
            try:
                self._opened = self._explained(
                    lambda _: core.url_to_fs(self._address.url), self._deadline_seconds
                )
            except Retryable as error:
                raise PlaceUnreachable(f"cannot read {self._address}: {error}") from error
        return self._opened

    def _explained(self, work: Any, seconds: float) -> Any:  # noqa: ANN401 (of a package that may be absent)
        """Do what fsspec does; turn what may go wrong into errors that say what to do."""
        try:
            return within(seconds, work)
        except DeadlinePassed:
            raise Retryable(f"no answer within {seconds:.0f} s") from None
        except Exception as error:
            self._refused(error)

    def _refused(self, error: Exception) -> NoReturn:
        scheme, name = self._address.scheme, self._address
        if isinstance(error, DetectorError | Retryable):
            raise error
        if isinstance(error, ImportError):
            package = STORES[scheme] or "fsspec"
            raise DetectorError(f"{scheme}:// needs the package {package}: pip install {package}") from None
        if isinstance(error, FileNotFoundError):
            raise UnsupportedFormat(f"cannot read {name}: there is no such file") from None
        kind = type(error).__name__
        reason = redacted(str(error)) or kind
        if isinstance(error, PermissionError) or "credential" in f"{kind} {reason}".lower():
            raise PlaceUnreachable(f"cannot read {name}: {reason}") from None
        if isinstance(error, OSError) or "timeout" in kind.lower() or "connect" in kind.lower():
            raise Retryable(reason) from None
        raise PlaceUnreachable(f"cannot read {name}: {kind}: {reason}") from None


def stamp_of(info: dict[str, Any]) -> Stamp:
    """The version of a file as a listing of fsspec describes it; each store has words of its own."""
    moment = next((info[key] for key in TIME_KEYS if info.get(key)), 0)
    if isinstance(moment, datetime):
        moment = moment.timestamp()
    modified = round(moment * 1e9) if isinstance(moment, int | float) else 0
    version = next((str(info[key]).strip('"') for key in VERSION_KEYS if info.get(key)), "")
    return Stamp(int(info.get("size") or 0), modified, version)
