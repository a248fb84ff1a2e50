"""Which recordings an address stands for: itself, or all that a folder of a store holds.

Names in a store are anybody's: one that would lead out of a folder is left out.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import PurePosixPath

from detector.errors import DetectorError, UnsupportedFormat
from detector.files.sound_files import SOUND_SUFFIXES, FolderContent, is_hidden, log_left_out
from detector.remote.blocks import patiently
from detector.remote.range_reader import NoAnswer, RangeReader
from detector.remote.remote_address import RemoteAddress
from detector.remote.remote_file import RemotePath, reader_of
from detector.remote.store_ranges import StoreRanges

log = logging.getLogger(__name__)

PAUSES = (1.0, 2.0)
"""Seconds before another try, while somebody waits for the work to begin."""


def listed(address: RemoteAddress, silent: dict[str, str] | None = None) -> list[tuple[str, RemotePath]]:
    """The recordings that an address stands for, each with its way from there (its name, for one alone).

    One that cannot be asked for is listed with the reason. `silent` keeps web servers that did not answer,
    and why: they are not asked again. Raises DetectorError for a folder without recordings, one that cannot
    be listed, and where a package is missing.
    """
    if address.is_web:
        if address.path.endswith("/") and "?" not in address.url:
            raise UnsupportedFormat(f"{address} is a folder of a web server; name the recordings in it")
        return [_alone(address, reader_of(address), {} if silent is None else silent)]
    store = StoreRanges(address)
    if not patiently(store.is_folder, address, pauses=PAUSES):
        return [_alone(address, store, {})]
    found = patiently(lambda: list(_inside(address, store)), address, pauses=PAUSES)
    if not found:
        raise UnsupportedFormat(
            f"{address} holds no recording; expected WAV, FLAC, OGG, MP3, MP4 or the like"
        )
    return sorted(found)


def _alone(address: RemoteAddress, reader: RangeReader, silent: dict[str, str]) -> tuple[str, RemotePath]:
    if not is_safe(address.name):
        raise UnsupportedFormat(f"{address} does not end with the name of a recording")
    if address.root in silent:
        return address.name, RemotePath(address, fault=silent[address.root], is_unreachable=True)
    try:
        return address.name, RemotePath(address, patiently(reader.stamp, address, pauses=PAUSES))
    except NoAnswer as error:
        silent[address.root] = str(error)
        return address.name, RemotePath(address, fault=str(error), is_unreachable=True)
    except DetectorError as error:
        return address.name, RemotePath(address, fault=str(error))


def _inside(address: RemoteAddress, store: StoreRanges) -> Iterator[tuple[str, RemotePath]]:
    others: list[str] = []
    unsafe = 0
    for way, stamp in store.files():
        name = PurePosixPath(way).name
        if way.endswith("/") or any(
            is_hidden(part) for part in way.split("/") if part not in ("", ".", "..")
        ):
            continue
        if PurePosixPath(way).suffix.lower() not in SOUND_SUFFIXES:
            others.append(name)
        elif not is_safe(way):
            unsafe += 1
        else:
            yield way, RemotePath(RemoteAddress(f"{address.url.rstrip('/')}/{way}"), stamp)
    log_left_out(address, FolderContent((), (), others))
    if unsafe:
        log.warning("%s: %d left out whose names would lead out of a folder", address, unsafe)


def is_safe(way: str) -> bool:
    """Whether a name of somebody else's, with slashes, leads to a file below a folder."""
    parts = way.split("/")
    return not any(
        part in ("", ".", "..") or "\0" in part or (os.sep != "/" and os.sep in part) for part in parts
    )
