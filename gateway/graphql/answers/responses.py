"""Whole answers kept as bytes: for the same question from the same scope, until its data changes.

Each change of the data raises a counter, so an entry bears the version its data had before it was
computed, and is served while that is still the version. Time changes answers too: a range that
ends now moves. So an entry is served for a second where one of its ranges is open.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

import orjson

from access.scopes import ProjectIds, Scope, resolve
from access.viewers import Viewer
from gateway.graphql.documents.documents import Document
from gateway.graphql.requests import GraphQLRequest
from storage.cache import Memory
from storage.errors import GatewayError
from storage.feed.versions import ANYTHING, CATALOGUE_TAGS, Tags, Versions

# In place of a project's slug: what may concern any of them.
ANY = "*"

# A range that ends now moves on, and says whether events may still come.
OPEN_FRESH_SECONDS = 1.0
# While one asker computes an answer anew, others are served the older one for so long.
OPEN_STALE_SECONDS = 5.0
# Calendar ranges move on at midnight, and what retention drops is told by no change.
FRESH_SECONDS = 10.0
# While the database is away an older answer is better than none; its age is told.
LAST_RESORT_SECONDS = 300.0
MEMORY_BYTES = 32 * 1024 * 1024
# What an answer takes beside its body: versions, numbers, its slot.
_NOTES_BYTES = 700
_KEY_BYTES = 20


@dataclass(frozen=True, slots=True)
class CacheSlot:
    """Where an answer is kept, and the version of its data; None while that is not known."""

    key: str
    version: str | None
    as_of: datetime | None = None  # when that was its version


class Figures(NamedTuple):
    """What the aggregates of an answer have in common: the oldest decides."""

    age_seconds: float = 0.0
    open_range: bool = False
    as_of: datetime | None = None


class CachedResponse(NamedTuple):
    """A kept answer and its age; stale ones are being computed anew, or cannot be."""

    body: bytes
    age_seconds: float
    stale: bool = False


@dataclass(slots=True)
class _Entry:
    body: bytes
    version: str
    made_at: float
    fresh_until: float
    renewed_until: float = 0.0  # until then somebody is expected to bring a newer one


class Responses:
    """The answers one process has kept."""

    def __init__(
        self,
        versions: Versions,
        dictionaries: ProjectIds,
        clock: Callable[[], float],
        on_lookup: Callable[[str], None],
    ) -> None:
        self._versions = versions
        self._dictionaries = dictionaries
        self._clock = clock
        self._on_lookup = on_lookup
        self._memory = Memory[_Entry](MEMORY_BYTES, overhead_bytes=_NOTES_BYTES)
        # What this process wrote itself; counters that were just read do not have it yet.
        self._writes: Counter[str] = Counter()
        self._writes_of_all = 0

    async def slot(
        self, document: Document, request: GraphQLRequest, viewer: Viewer
    ) -> CacheSlot | None:
        """The place for the answer to this request; None where it may not be kept."""
        name = document.name(request.operation_name)
        rules = document.rules[name]
        if request.extensions or not rules.kept:
            return None
        scope = await resolve(viewer, self._dictionaries)
        who = viewer.subject if rules.personal else None
        question = [document.digest, name, sorted(viewer.roles), scope.key(), who]
        try:
            text = orjson.dumps([*question, request.variables], option=orjson.OPT_SORT_KEYS)
        except TypeError:  # a whole number over 64 bits, or text that no UTF-8 can carry
            return None
        key = blake2b(text, digest_size=_KEY_BYTES).hexdigest()
        return CacheSlot(key, *await self._version(viewer, scope))

    def find(self, slot: CacheSlot) -> CachedResponse | None:
        """What is kept there, if it may still be served."""
        found = self._find(slot)
        self._on_lookup("miss" if found is None else "stale" if found.stale else "hit")
        return found

    def put(self, slot: CacheSlot, body: bytes, figures: Figures) -> None:
        """Keep an answer that was computed after its place was asked for, if it may be kept.

        Figures may be from before that: counters read a moment earlier vouch for them too.
        """
        if slot.version is None:
            return
        if slot.as_of and figures.as_of and figures.as_of < slot.as_of:
            return
        now = self._clock()
        fresh_seconds = OPEN_FRESH_SECONDS if figures.open_range else FRESH_SECONDS
        entry = _Entry(body, slot.version, now - figures.age_seconds, now + fresh_seconds)
        self._memory.put(slot.key, entry)

    def wrote(self, slugs: Iterable[str]) -> None:
        """Something was written to these projects: who wrote it and asks here shall see it."""
        self._writes.update(slugs)
        self._writes_of_all += 1

    def last_resort(self, slot: CacheSlot) -> CachedResponse | None:
        """What was last kept there, for when no answer can be computed."""
        entry = self._memory.get(slot.key)
        if entry is None or self._clock() - entry.made_at > LAST_RESORT_SECONDS:
            return None
        return self._response(entry, stale=True)

    def _find(self, slot: CacheSlot) -> CachedResponse | None:
        entry = self._memory.get(slot.key)
        if entry is None or slot.version is None or entry.version != slot.version:
            return None
        now, fresh_until = self._clock(), entry.fresh_until
        if now <= fresh_until:
            return self._response(entry)
        if now <= min(entry.renewed_until, fresh_until + OPEN_STALE_SECONDS):
            return self._response(entry, stale=True)
        # One asker computes it anew, and those who come meanwhile do not wait.
        entry.renewed_until = now + OPEN_FRESH_SECONDS
        return None

    def _response(self, entry: _Entry, *, stale: bool = False) -> CachedResponse:
        return CachedResponse(entry.body, max(0.0, self._clock() - entry.made_at), stale)

    async def _version(self, viewer: Viewer, scope: Scope) -> tuple[str | None, datetime | None]:
        """The version of all that the scope holds, and when; None where the database is away."""
        if scope.project_ids is None:
            data, writes = ANYTHING, self._writes_of_all
        else:
            data = Tags(None, scope.project_ids)
            writes = self._writes[ANY] + sum(self._writes[slug] for slug in viewer.project_slugs)
        try:
            moment = await self._versions.of((data, CATALOGUE_TAGS))
        except GatewayError:
            return None, None
        versions = moment.versions
        return f"{versions[data]}/{versions[CATALOGUE_TAGS]}/{writes}", moment.as_of
