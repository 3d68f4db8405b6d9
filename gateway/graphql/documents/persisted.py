"""Documents sent as their hash: automatic persisted queries and trusted documents.

Automatic persisted queries are Apollo's protocol: a client sends a hash; if the server does not
know it, the client sends text and hash once, and only the hash from then on. Trusted documents are
registered in the database; an installation may refuse all others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from gateway.graphql.documents.documents import Document, Documents, bad_document
from gateway.graphql.requests import GraphQLRequest
from storage.admin import trusted_documents
from storage.cache import CacheEntry, SharedCache
from storage.connections.database import Database
from storage.errors import Unavailable
from storage.recent import Recent

log = structlog.get_logger(component="documents")

# After an expiry the client sends the text again, which costs one round trip.
SHARED_SECONDS = 24 * 3600.0
SHARED_CHARACTERS = 64 * 1024
# Every process notices a registered or removed document within this time.
TRUST_SECONDS = 20.0
TRUSTED_CACHED = 10_000


class Trust(StrEnum):
    """Whether to execute, log or refuse documents that are not registered."""

    OFF = "off"
    LOG = "log"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class _LookUp:
    text: str | None
    expires_at: float


class TrustedTexts:
    """The registered documents, cached for TRUST_SECONDS each."""

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._cache = Recent[str, _LookUp](TRUSTED_CACHED)

    async def find(self, digest: str) -> str | None:
        """The text registered under this hash, or None."""
        cached = self._cache.get(digest)
        if cached is not None and cached.expires_at > self._monotonic():
            return cached.text
        try:
            text = await trusted_documents.text_of(self._database, digest)
        except Unavailable:
            if cached is None:
                raise
            text = cached.text  # still trusted until the database can be read again
        # Documents in use are renewed, so guessed hashes evict only one another.
        self._cache[digest] = _LookUp(text, self._monotonic() + TRUST_SECONDS)
        return text


@dataclass(frozen=True, slots=True)
class PersistedDocuments:
    """Finds the document of a request, by text or by hash."""

    documents: Documents
    shared: SharedCache
    trusted: TrustedTexts
    trust: Trust
    clock: Callable[[], float]
    on_untrusted: Callable[[], None]

    async def find(self, request: GraphQLRequest) -> Document:
        """Return the document to execute; raises BadDocument if there is none."""
        if request.query is None:
            assert request.digest is not None
            return await self._by_digest(request.digest)
        digest = self.documents.digest(request.query)
        if request.digest not in (None, digest):
            raise bad_document("The SHA-256 sent with the query is not the query's own.")
        if self.trust is not Trust.OFF and await self._registered(digest) is None:
            self._distrust(digest)
        document = self.documents.get(request.query)
        if request.digest is not None:
            await self._share(document, request.query)
        return document

    async def _by_digest(self, digest: str) -> Document:
        if self.trust is not Trust.OFF and (text := await self._registered(digest)):
            return self.documents.get(text)
        if self.trust is Trust.ENFORCE:
            self._distrust(digest)
        document = self.documents.cached(digest) or self.documents.get(await self._shared(digest))
        if self.trust is Trust.LOG:
            self._distrust(digest)
        return document

    async def _registered(self, digest: str) -> str | None:
        try:
            return await self.trusted.find(digest)
        except Unavailable:
            if self.trust is Trust.ENFORCE:
                raise
            return None  # only logged

    async def _shared(self, digest: str) -> str:
        (entry,) = await self.shared.get_many([digest])
        text = "" if entry is None else entry.body.decode()
        # Redis is not trusted to map hashes to texts.
        if self.documents.digest(text) != digest:
            raise bad_document("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
        return text

    async def _share(self, document: Document, text: str) -> None:
        if len(text) <= SHARED_CHARACTERS:
            entry = CacheEntry(text.encode(), self.clock())
            await self.shared.put_many([(document.digest, entry)], SHARED_SECONDS)

    def _distrust(self, digest: str) -> None:
        """Count an unregistered document, and refuse or log it."""
        self.on_untrusted()
        if self.trust is Trust.ENFORCE:
            raise bad_document(
                "This gateway executes only registered documents: register this one with "
                "`gateway documents register`.",
                "PERSISTED_QUERY_NOT_IN_LIST",
            )
        log.warning("document_not_registered", document=digest)
