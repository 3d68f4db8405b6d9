"""A cache of whole responses: same question, same scope, until the scope's data changes.

Each change of the data raises a version. An entry has the version that the data had before the
response was computed, and is a hit while that is the current one. Time changes responses too, as a
range that ends now moves: a response with an open range is a hit for a second only.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from access.scopes import ProjectIds, Scope, resolve
from access.viewers import Viewer
from gateway.graphql.documents.documents import Document
from gateway.graphql.requests import GraphQLRequest
from storage.cache import Memory
from storage.errors import GatewayError
from storage.feed.versions import CATALOGUE_TAGS, Tags, Versions

# Stands for every project, or every fact.
_ANY = "*"

# A range that ends now moves on.
OPEN_FRESH_SECONDS = 1.0
# While one request computes a new response, others get the stale one for at most this long.
OPEN_STALE_SECONDS = 5.0
# Calendar ranges move on at midnight, and deletions by retention raise no version.
FRESH_SECONDS = 10.0
# While the database is away, an old response is better than none; its age is in the headers.
LAST_RESORT_SECONDS = 300.0
MEMORY_BYTES = 32 * 1024 * 1024
# What an entry takes beside its body: its key, its version, its times.
_OVERHEAD_BYTES = 700
_KEY_BYTES = 20


@dataclass(frozen=True, slots=True)
class CacheSlot:
    """The key of a response, and the current version of its data; None if that is not known."""

    key: str
    version: str | None
    as_of: datetime | None = None  # when the version was read


class ResponseFreshness(NamedTuple):
    """How fresh the aggregates of a response are; the oldest of them decides."""

    age_seconds: float = 0.0
    has_open_range: bool = False
    as_of: datetime | None = None


class CachedResponse(NamedTuple):
    """A cached response and its age; a stale one is being recomputed, or cannot be."""

    body: bytes
    age_seconds: float
    stale: bool = False


@dataclass(slots=True)
class _Entry:
    body: bytes
    version: str
    made_at: float
    fresh_until: float
    recomputed_until: float = 0.0  # until then some request is expected to replace it


class ResponseCache:
    """The cached responses of one process."""

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
        self._memory = Memory[_Entry](MEMORY_BYTES, overhead_bytes=_OVERHEAD_BYTES)
        # Writes of this process, which versions read a moment ago do not contain yet.
        self._writes: Counter[tuple[str, str]] = Counter()  # by slug and fact
        self._other_writes = 0

    async def slot(
        self, document: Document, request: GraphQLRequest, viewer: Viewer
    ) -> CacheSlot | None:
        """The slot of the response to this request; None if it must not be cached."""
        operation = document.operation(request.operation_name)
        name, rules, measured = operation.name, operation.rules, operation.measured
        if request.extensions or not rules.kept or not measured.is_cacheable:
            return None
        scope = await resolve(viewer, self._dictionaries)
        subject = viewer.subject if rules.personal else None
        roles = sorted(viewer.roles)
        key = question_key(document.digest, name, roles, scope.key(), subject, request.variables)
        return CacheSlot(key, *await self._version(viewer, scope, measured.facts)) if key else None

    def find(self, slot: CacheSlot) -> CachedResponse | None:
        """The cached response of this slot, if it may still be served."""
        found = self._find(slot)
        self._on_lookup("miss" if found is None else "stale" if found.stale else "hit")
        return found

    def put(self, slot: CacheSlot, body: bytes, freshness: ResponseFreshness) -> None:
        """Caches a response that was computed after its slot was read.

        Its aggregates may be older than that, if their own versions were read a moment earlier.
        Then the response is not cached.
        """
        if slot.version is None:
            return
        if slot.as_of and freshness.as_of and freshness.as_of < slot.as_of:
            return
        now = self._clock()
        fresh_seconds = OPEN_FRESH_SECONDS if freshness.has_open_range else FRESH_SECONDS
        entry = _Entry(body, slot.version, now - freshness.age_seconds, now + fresh_seconds)
        self._memory.put(slot.key, entry)

    def wrote(self, changed: Iterable[tuple[str, str]]) -> None:
        """Ends the hits of these projects and facts, so that clients read their own writes."""
        for slug, fact in changed:
            self._writes.update(((slug, fact), (slug, _ANY), (_ANY, fact), (_ANY, _ANY)))

    def wrote_anything(self) -> None:
        """Ends all hits."""
        self._other_writes += 1

    def last_resort(self, slot: CacheSlot) -> CachedResponse | None:
        """The last response cached under this key, for when none can be computed."""
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
        if now <= min(entry.recomputed_until, fresh_until + OPEN_STALE_SECONDS):
            return self._response(entry, stale=True)
        # This request recomputes it, and those that come meanwhile do not wait.
        entry.recomputed_until = now + OPEN_FRESH_SECONDS
        return None

    def _response(self, entry: _Entry, *, stale: bool = False) -> CachedResponse:
        return CachedResponse(entry.body, max(0.0, self._clock() - entry.made_at), stale)

    async def _version(
        self, viewer: Viewer, scope: Scope, facts: Collection[str] | None
    ) -> tuple[str | None, datetime | None]:
        """The version of these facts in the scope, and when it was read; None if unknown."""
        tags = [Tags(fact, scope.project_ids) for fact in ([None] if facts is None else facts)]
        try:
            moment = await self._versions.of((*tags, CATALOGUE_TAGS))
        except GatewayError:
            return None, None
        slugs = [_ANY] if scope.project_ids is None else viewer.project_slugs
        writes = sum(
            self._writes[slug, fact]
            for slug in slugs
            for fact in ([_ANY] if facts is None else facts)
        )
        read = [moment.versions[tag] for tag in (*tags, CATALOGUE_TAGS)]
        return "/".join([*read, str(writes + self._other_writes)]), moment.as_of


def question_key(*parts: Any) -> str | None:
    """A hash of JSON values; None where JSON cannot hold one of them.

    Those are whole numbers over 64 bits, and text that is not valid Unicode.
    """
    try:
        text = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return None
    return blake2b(text, digest_size=_KEY_BYTES).hexdigest()
