"""PUT …/source-maps: takes the source map of a script, or the script itself, for a release."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from access.budgets import Budgets
from access.limits import Budget
from access.viewers import Viewer
from gateway.http.charging import charge
from gateway.http.errors import json_response
from gateway.http.exchange import Exchange
from ingest.bodies import decoded
from ingest.errors.source_maps import MAX_URL_LENGTH, check_map
from resolvers.context import Services
from storage.admin import source_maps
from storage.admin.source_maps import FILE_BYTES, Place, Upload
from storage.errors import InvalidInput, LimitExceeded, NotFound, Unavailable
from storage.names import wrong_name

SCRIPTS = ("text/javascript", "application/javascript")
# A file takes several times its size of memory while it is checked, so one is read at a time.
UPLOAD_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class SourceMapReceiver:
    """The handler of uploads."""

    services: Services
    budgets: Budgets
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def receive(self, request: Request) -> Response:
        """200 when the file is stored; it replaces an earlier one of the same script."""
        exchange = Exchange.of(request.scope)
        viewer = exchange.required_viewer()
        place = await self._place(request, viewer)
        is_map = request.headers.get("content-type", "").partition(";")[0].lower() not in SCRIPTS
        try:
            async with asyncio.timeout(UPLOAD_SECONDS), self.turn:
                body = await request.body()
                await charge(exchange, self.budgets, {Budget.KIBIBYTES: -(-len(body) // 1024)})
                encoding = request.headers.get("content-encoding", "")
                content, size_bytes = await asyncio.to_thread(
                    _checked, body, encoding, is_map=is_map
                )
        except TimeoutError:
            raise Unavailable("The upload, or those before it, took too long.") from None
        upload = Upload(place, is_map, content, size_bytes, viewer.subject)
        async with self.services.database.transaction() as connection:
            done = await source_maps.store(connection, upload, self.services.clock())
        if not done:
            raise LimitExceeded(
                f"A release holds at most {source_maps.FILES_AT_MOST:,} scripts and "
                f"{source_maps.RELEASE_BYTES:,} bytes: delete some with `deleteSourceMaps`.",
                limit="source_maps",
            )
        kind = "map" if is_map else "script"
        stored = {"release": place.release, "url": place.url, "kind": kind, "bytes": size_bytes}
        return json_response(stored, 200)

    async def _place(self, request: Request, viewer: Viewer) -> Place:
        slug, release = request.path_params["slug"], request.path_params["release"].strip()
        ids: dict[str, int] = {}
        if viewer.may_name(slug):
            ids = await self.services.dictionaries.project_ids([slug])
        if slug not in ids:
            raise NotFound(f"There is no project {slug[:100]!r} that you can write to.")
        problem = wrong_name(release)
        if not release or problem:
            raise InvalidInput(f"The release {problem[1] if problem else 'is empty'}.")
        return Place(ids[slug], release, _url(request.query_params.get("url", "")))


def _url(text: str) -> str:
    """The URL of the script; raises InvalidInput."""
    url = text.strip().partition("?")[0].partition("#")[0]
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    is_full = bool(parts.scheme and parts.netloc) or url.startswith("~/")
    if not is_full or not url.isprintable() or len(url) > MAX_URL_LENGTH:
        raise InvalidInput(
            "Say which script the file is for: ?url=~/static/app.min.js (on any host), or its "
            f"whole URL, at most {MAX_URL_LENGTH} characters.",
            path="url",
        )
    return url


def _checked(body: bytes, encoding: str, *, is_map: bool) -> tuple[bytes, int]:
    """The compressed file and its size; raises InvalidInput or TooLarge."""
    content = decoded(body, encoding, FILE_BYTES)
    if is_map:
        check_map(content)
    else:
        try:
            content.decode()
        except UnicodeDecodeError:
            raise InvalidInput("The script is not UTF-8.") from None
    return source_maps.compressed(content), len(content)
