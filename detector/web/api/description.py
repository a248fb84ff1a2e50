"""The description of the API, as it is in the package: OpenAPI 3.1."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from detector.web.access.roles import anybody
from detector.web.parts import WebParts

DESCRIPTION = Path(__file__).resolve().parents[1] / "openapi.yaml"


def routes(_: WebParts) -> list[BaseRoute]:
    """The route of `/api/v1/openapi.yaml`."""

    async def description(_: Request) -> Response:
        content = await asyncio.to_thread(DESCRIPTION.read_bytes)
        return Response(content, media_type="application/yaml", headers={"Cache-Control": "no-cache"})

    return [Route("/api/v1/openapi.yaml", anybody(description), methods=["GET"])]
