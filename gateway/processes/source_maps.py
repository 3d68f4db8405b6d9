"""The worker's job that applies source maps to the bodies of errors.

Only here, and only while there is work, `symbolic` is imported: it is an optional package.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from importlib.util import find_spec
from itertools import groupby
from typing import Any

import structlog

from ingest.errors.grouping import searchable
from ingest.errors.source_maps import CONTEXT_LINES, MAX_LENGTH, Original, Spot, apply, spots_of
from storage.admin import source_maps as files
from storage.admin.source_maps import Place
from storage.connections.database import Database
from storage.error_groups import mapping
from storage.error_groups.mapping import MappedBody, WaitingBody
from storage.keeping.leases import lease

log = structlog.get_logger(component="source-maps")

LEASE = "source-maps"
LEASE_SECONDS = 120.0
# Bodies have at most about a megabyte each, and one source map is in memory at a time.
BODIES_AT_ONCE = 20
# A step ends after this time, and the rest waits for the next one.
STEP_SECONDS = 60.0
MAX_PROBLEM_LENGTH = 200

_Found = dict[tuple[str, int, int], Original]


class SourceMaps:
    """Applies source maps; a worker without `symbolic` says so once and does nothing."""

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder
        self._is_missing = False

    async def step(self) -> dict[str, object]:
        """Maps all bodies that wait, unless another worker does."""
        if self._is_missing:
            return {}
        if find_spec("symbolic") is None:
            self._is_missing = True
            log.warning("symbolic_missing", advice="install the extra `sourcemaps` to use maps")
            return {}
        give_up_at, bodies = time.monotonic() + STEP_SECONDS, 0
        while time.monotonic() < give_up_at:
            async with self._database.transaction() as connection:
                if await lease(connection, LEASE, self._holder, LEASE_SECONDS) is None:
                    break
            async with self._database.connection() as connection:
                waiting = await mapping.find_waiting(connection, BODIES_AT_ONCE)
            if not waiting:
                break
            for (project_id, release), same in groupby(waiting, _release_of):
                await self._map(project_id, release, list(same))
            bodies += len(waiting)
        return {"bodies": bodies} if bodies else {}

    async def _map(self, project_id: int, release: str, waiting: list[WaitingBody]) -> None:
        """Maps bodies of one release and stores them."""
        async with self._database.connection() as connection:
            known = await files.urls(connection, project_id, release)
        found: _Found = {}
        for url, spots in _by_url(waiting, known).items():
            found |= await self._look_up(Place(project_id, release, url), spots)
        mapped = [_mapped(each, known, found) for each in waiting]
        async with self._database.transaction() as connection:
            await mapping.store(connection, mapped)

    async def _look_up(self, place: Place, spots: set[tuple[int, int]]) -> _Found:
        """The originals of spots in one script; none if its map cannot be applied."""
        async with self._database.connection() as connection:
            stored = await files.contents(connection, place)
        if stored is None:  # deleted meanwhile
            return {}
        try:
            return await asyncio.to_thread(_originals, place.url, stored, spots)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a map of somebody
            problem = f"The map cannot be applied: {error}"[:MAX_PROBLEM_LENGTH]
            log.warning("source_map_wrong", project=place.project_id, url=place.url)
        async with self._database.transaction() as connection:
            await files.mark(connection, place, problem)
        return {}


def _release_of(body: WaitingBody) -> tuple[int, str]:
    return body.project_id, body.release


def _by_url(waiting: Iterable[WaitingBody], known: set[str]) -> dict[str, set[tuple[int, int]]]:
    """The spots of the bodies, by the URL of a script that has a map."""
    spots: defaultdict[str, set[tuple[int, int]]] = defaultdict(set)
    for each in waiting:
        for spot in spots_of(each.body):
            if url := _url(spot, known):
                spots[url].add((spot.line, spot.column))
    return spots


def _url(spot: Spot, known: set[str]) -> str | None:
    return next((url for url in spot.urls if url in known), None)


def _mapped(waiting: WaitingBody, known: set[str], found: _Found) -> MappedBody:
    def find(spot: Spot) -> Original | None:
        url = _url(spot, known)
        return None if url is None else found.get((url, spot.line, spot.column))

    later = None if apply(waiting.body, find) else waiting.uploaded_at
    return MappedBody(waiting, searchable(waiting.body), later)


def _originals(url: str, stored: tuple[bytes, bytes], spots: set[tuple[int, int]]) -> _Found:
    from symbolic.sourcemapcache import SourceMapCache

    content, script = stored
    source = files.decompressed(script) if script else b""
    cache = SourceMapCache.from_bytes(source, files.decompressed(content))
    found = {}
    for line, column in spots:
        token = cache.lookup(line, column, CONTEXT_LINES)
        if token is not None and token.src is not None:
            found[url, line, column] = _original(url, token)
    return found


def _original(url: str, token: Any) -> Original:
    """What a map says of a spot, cut: a line of its sources may have the size of the whole map."""
    lines = (
        [line[:MAX_LENGTH] for line in part] for part in (token.pre_context, token.post_context)
    )
    before, after = lines
    function, name = token.function_name, token.name
    return Original(
        url,
        token.src[:MAX_LENGTH],
        token.line,
        token.col,
        function and function[:MAX_LENGTH],
        name and name[:MAX_LENGTH],
        before,
        token.context_line and token.context_line[:MAX_LENGTH],
        after,
    )
