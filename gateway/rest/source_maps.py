"""PUT …/source-maps: takes the source map of a script, or the script itself, for a release."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

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
from storage.admin import audit, source_maps
from storage.admin.audit import AuditRecord
from storage.admin.source_maps import FILE_BYTES, Place, Upload
from storage.background import finished
from storage.errors import InvalidInput, LimitExceeded, NotFound, Unavailable
from storage.names import wrong_name

SCRIPTS = ("text/javascript", "application/javascript")
UPLOAD_SECONDS = 120.0
SPOOLED_BYTES = 1_000_000  # more of a file waits on the disk


@dataclass(frozen=True, slots=True)
class SourceMapReceiver:
    """The handler of uploads."""

    services: Services
    budgets: Budgets
    # One file is checked at a time, as it takes several times its size of memory.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    # One file of a project arrives at a time, so that no sender makes other projects wait.
    turns: WeakValueDictionary[int, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def receive(self, request: Request) -> Response:
        """200 when the file is stored; it replaces an earlier one of the same script."""
        viewer = Exchange.of(request.scope).required_viewer()
        place = await self._place(request, viewer)
        is_map = request.headers.get("content-type", "").partition(";")[0].lower() not in SCRIPTS
        turn = self.turns.setdefault(place.project_id, asyncio.Lock())
        try:
            async with asyncio.timeout(UPLOAD_SECONDS), turn:
                content, size_bytes = await self._content(request, is_map=is_map)
        except TimeoutError:
            raise Unavailable("The upload, or those before it, took too long.") from None
        await self._store(request, Upload(place, is_map, content, size_bytes, viewer.subject))
        kind = "map" if is_map else "script"
        stored = {"release": place.release, "url": place.url, "kind": kind, "bytes": size_bytes}
        return json_response(stored, 200)

    async def _content(self, request: Request, *, is_map: bool) -> tuple[bytes, int]:
        """The compressed file and its size; while it arrives, it waits on the disk."""
        with SpooledTemporaryFile(SPOOLED_BYTES) as body:
            async for chunk in request.stream():
                body.write(chunk)
            size: dict[str, int] = {Budget.KIBIBYTES: -(-body.tell() // 1024)}
            await charge(Exchange.of(request.scope), self.budgets, size)
            encoding = request.headers.get("content-encoding", "")
            async with self.turn:
                checking = asyncio.to_thread(_checked, body, encoding, is_map=is_map)
                return await finished(checking)

    async def _store(self, request: Request, upload: Upload) -> None:
        """Stores a file; the releases that make room for it are in the audit log."""
        now = self.services.clock()
        async with self.services.database.transaction() as connection:
            if not await source_maps.store(connection, upload, now):
                raise LimitExceeded(
                    f"A release holds at most {source_maps.FILES_AT_MOST:,} scripts and "
                    f"{source_maps.RELEASE_BYTES:,} bytes: delete some with `deleteSourceMaps`.",
                    limit="source_maps",
                )
            if removed := await source_maps.make_room(connection, upload.place):
                exchange = Exchange.of(request.scope)
                viewer = exchange.required_viewer()
                record = AuditRecord(
                    viewer.subject,
                    "source_maps.removed",
                    token_id=viewer.token_id,
                    target=request.path_params["slug"],
                    request_id=exchange.request_id,
                    address=exchange.address,
                    details={"releases": removed, "for": upload.place.release},
                )
                await audit.add(connection, [record], now)

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


def _checked(body: IO[bytes], encoding: str, *, is_map: bool) -> tuple[bytes, int]:
    """The compressed file and its size; raises InvalidInput or TooLarge."""
    body.seek(0)
    content = decoded(body.read(), encoding, FILE_BYTES)
    if is_map:
        check_map(content)
    else:
        try:
            content.decode()
        except UnicodeDecodeError:
            raise InvalidInput("The script is not UTF-8.") from None
    return source_maps.compressed(content), len(content)
