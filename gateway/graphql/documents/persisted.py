"""Documents sent as their hash: automatic persisted queries, and documents that are trusted.

Automatic persisted queries are Apollo's protocol: a client sends the hash alone, is told when it is
unknown, sends text and hash once, and the hash from then on. Trusted documents are registered
beforehand; an installation may execute no others.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog
from graphql import GraphQLError

from gateway.graphql.documents.documents import BadDocument, Document, Documents
from gateway.graphql.requests import GraphQLRequest
from storage.admin import trusted_documents
from storage.cache import CacheEntry, SharedCache
from storage.connections.database import Database
from storage.errors import Unavailable

log = structlog.get_logger(component="documents")

# A client that is told of an unknown hash sends the text again, so forgetting costs a round trip.
SHARED_SECONDS = 24 * 3600.0
SHARED_CHARACTERS = 64 * 1024
# A document registered or removed is noticed by every process within this time.
TRUST_SECONDS = 20.0
TRUSTED_KEPT = 10_000


class Trust(StrEnum):
    """What becomes of documents that are not registered."""

    OFF = "off"
    LOG = "log"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class _Known:
    text: str | None
    until: float


class TrustedTexts:
    """The registered documents, each looked up once in a while."""

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def find(self, digest: str) -> str | None:
        """The text registered under this hash, or None."""
        known = self._known.get(digest)
        if known is None or known.until <= self._monotonic():
            known = await self._look_up(digest, known)
        return known.text

    async def _look_up(self, digest: str, known: _Known | None) -> _Known:
        try:
            text = await trusted_documents.text_of(self._database, digest)
        except Unavailable:
            if known is None:
                raise
            text = known.text  # what was trusted stays so until the database says otherwise
        found = self._known[digest] = _Known(text, self._monotonic() + TRUST_SECONDS)
        # Asked for again and again, it is never the oldest: guesses push out one another.
        self._known.move_to_end(digest)
        while len(self._known) > TRUSTED_KEPT:
            self._known.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True)
class PersistedDocuments:
    """The way from a request to its document, by text or by hash."""

    documents: Documents
    shared: SharedCache
    trusted: TrustedTexts
    trust: Trust
    clock: Callable[[], float]
    on_untrusted: Callable[[], None]

    async def find(self, request: GraphQLRequest) -> Document:
        """The document to execute; raises BadDocument where it cannot or may not be."""
        if request.query is None:
            assert request.digest is not None
            return await self._by_digest(request.digest)
        digest = self.documents.digest(request.query)
        if request.digest not in (None, digest):
            raise _bad(
                "The query's SHA-256 is not the one that was sent with it.", "BAD_USER_INPUT"
            )
        if self.trust is not Trust.OFF and await self._registered(digest) is None:
            self._distrust(digest)
        document = self.documents.get(request.query)
        if request.digest is not None:
            await self._share(document, request.query)
        return document

    async def _by_digest(self, digest: str) -> Document:
        if self.trust is Trust.OFF:
            return self.documents.known(digest) or self.documents.get(await self._shared(digest))
        if text := await self._registered(digest):
            return self.documents.get(text)
        if self.trust is Trust.ENFORCE:
            self._distrust(digest)
        document = self.documents.known(digest) or self.documents.get(await self._shared(digest))
        self._distrust(digest)
        return document

    async def _registered(self, digest: str) -> str | None:
        try:
            return await self.trusted.find(digest)
        except Unavailable:
            if self.trust is Trust.ENFORCE:
                raise
            return None  # only a log line depends on it

    async def _shared(self, digest: str) -> str:
        (entry,) = await self.shared.get_many([digest])
        text = "" if entry is None else entry.body.decode()
        # Whoever can write to Redis shall not choose what a hash stands for.
        if self.documents.digest(text) != digest:
            raise _bad("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
        return text

    async def _share(self, document: Document, text: str) -> None:
        if len(text) <= SHARED_CHARACTERS:
            entry = CacheEntry(text.encode(), self.clock())
            await self.shared.put_many([(document.digest, entry)], SHARED_SECONDS)

    def _distrust(self, digest: str) -> None:
        self.on_untrusted()
        if self.trust is Trust.ENFORCE:
            raise _bad(
                "Only registered documents are executed here: register this one with "
                "`gateway documents register`.",
                "PERSISTED_QUERY_NOT_IN_LIST",
            )
        log.warning("document_not_registered", document=digest)


def _bad(message: str, code: str) -> BadDocument:
    return BadDocument([GraphQLError(message, extensions={"code": code})])
