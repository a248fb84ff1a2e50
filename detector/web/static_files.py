"""The files of the page: compressed, and sent again only where they changed."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from detector.web.access.roles import anybody, refusal

STATIC = Path(__file__).with_name("static")

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Files with other endings are not served."""
_COMPRESSED_ALREADY = frozenset({".ico", ".png", ".woff2"})


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, ready to be sent."""

    content_type: str
    etag: str
    """Quoted, of the content."""
    content: bytes
    is_compressed: bool
    """Whether that is compressed with gzip; only where it is smaller so."""


def read_static(folder: Path) -> dict[str, StaticFile]:
    """Read all files below a folder: path on the page -> file; `/` is index.html."""
    found = {
        f"/{path.relative_to(folder).as_posix()}": _read(path)
        for path in sorted(folder.rglob("*"))
        if path.suffix in CONTENT_TYPES and path.is_file()
    }
    if "/index.html" in found:
        found["/"] = found["/index.html"]
    return found


def static_routes(folder: Path = STATIC) -> list[BaseRoute]:
    """The routes of the files below a folder; they are read once, here."""
    files = read_static(folder)

    async def serve(request: Request) -> Response:
        file = files.get(request.url.path)
        if file is None:
            return refusal(404, "there is no such page")
        return _answer(file, request.headers)

    return [Route("/{path:path}", anybody(serve), methods=["GET"])]


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    compressed = content if path.suffix in _COMPRESSED_ALREADY else gzip.compress(content, mtime=0)
    smaller = min(content, compressed, key=len)
    return StaticFile(CONTENT_TYPES[path.suffix], etag, smaller, smaller is not content)


def _answer(file: StaticFile, asked: Headers) -> Response:
    # no-cache: a browser keeps the file, and asks each time whether it is still the same.
    headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    known = {tag.strip().removeprefix("W/") for tag in asked.get("If-None-Match", "").split(",")}
    if file.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    body = file.content
    if file.is_compressed and "gzip" in asked.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
    elif file.is_compressed:
        body = gzip.decompress(body)
    return Response(body, media_type=None, headers={**headers, "Content-Type": file.content_type})
