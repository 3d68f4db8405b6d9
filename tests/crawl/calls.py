"""The crawl, done once for two tests: what leaks, and which documents come by which scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any

from tests.crawl.attacks import attacks, is_mutation, is_read, places, sights
from tests.crawl.crawl import Leak, leaks
from tests.crawl.documents import Document
from tests.crawl.scopes import noted, patches
from tests.crawl.scopes import places as scopes
from tests.crawl.secrets import Secrets
from tests.crawl.world import Worlds

SIGHTS = "sights"


@dataclass(slots=True)
class Calls:
    """Asks each document once. What is read also tells by which scopes it comes.

    The answers of reads are kept as hashes, to see whether one is another without a scope.
    """

    worlds: Worlds
    written: Worlds
    secrets: Secrets
    by_scope: defaultdict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    _usual: dict[Document, tuple[int, list[str]]] = field(default_factory=dict)
    _asked: dict[str, list[Leak]] = field(default_factory=dict)
    _called: set[str] = field(default_factory=set)
    _noting: list[AbstractContextManager[Any]] = field(default_factory=list)

    async def of(self, place: str) -> list[Leak]:
        """What leaks by the attacks on a field, or by all that is there to see."""
        if place not in self._asked:
            documents = list(sights() if place == SIGHTS else attacks(self.secrets, place))
            assert documents
            written = await leaks(self.written, filter(is_mutation, documents), self.secrets)
            self._asked[place] = written + await self._read(filter(is_read, documents))
        return self._asked[place]

    async def of_everything(self) -> None:
        """Asks what has not been asked."""
        for place in (SIGHTS, *places()):
            await self.of(place)

    async def differs(self, document: Document) -> bool:
        """Whether a document is answered, or asks the database, otherwise than it usually does."""
        answer = await self.worlds.within.ask(document)
        return (hash(answer), sorted(self.worlds.within.statements)) != self._usual[document]

    async def _read(self, documents: Iterable[Document]) -> list[Leak]:
        if not self._noting:
            for scope in scopes():
                self._noting += patches(scope, noted(self._called, scope))
        with ExitStack() as stack:
            for each in self._noting:
                stack.enter_context(each)
            self._called.clear()
            return await leaks(self.worlds, documents, self.secrets, self._note)

    def _note(self, document: Document, answer: str, statements: list[str]) -> None:
        self._usual[document] = hash(answer), statements
        for one in self._called:
            self.by_scope[one].append(document)
        self._called.clear()
