"""What a request carries: who asks, what they may see, and the ways to data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from access.limits import NO_LIMITS, Rules
from access.scopes import Scope, resolve
from access.viewers import Viewer
from analytics.run import Analytics
from dataloaders.loaders import Loaders
from ingest.intake import Intake
from storage.admin import audit
from storage.connections.database import Connection, Database
from storage.dimensions import Dictionaries
from storage.errors import LimitExceeded
from storage.feed.feed import Feed

# Nothing else is answered while an answer is computed and built: so many values take a second.
MAX_VALUES = 200_000


@dataclass(frozen=True, slots=True)
class Services:
    """What lives as long as the process."""

    database: Database
    dictionaries: Dictionaries
    analytics: Analytics
    intake: Intake
    cursor_key: bytes
    clock: Callable[[], datetime]
    limits: Rules = NO_LIMITS  # those of the settings
    feed: Feed | None = None  # tells subscriptions what has changed
    # Look-ahead of selections that no variable has a say in, read once per document.
    selections: dict[Any, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Trail:
    """The entry of a mutation in the audit log."""

    entry_id: int
    is_settled: bool = False  # with the changes it is about

    async def end_with(self, connection: Connection) -> None:
        await audit.end(connection, self.entry_id, audit.OK)


@dataclass(slots=True)
class Context:
    """What lives as long as one request; loaders are never shared between requests."""

    viewer: Viewer
    scope: Scope
    loaders: Loaders
    services: Services
    now: datetime
    request_id: str
    address: str = ""
    trail: Trail | None = None  # of the mutation at hand
    # Look-ahead read once per field of the document, not once per parent.
    memo: dict[Any, Any] = field(default_factory=dict)
    computed: int = 0
    # Of a subscription: whether each answer says all there is, or only what has changed.
    tells_states: bool = True
    # Has it tell its state once more, to those who came later.
    ask_again: Callable[[], None] = lambda: None

    @classmethod
    async def create(
        cls, services: Services, viewer: Viewer, request_id: str, address: str = ""
    ) -> Context:
        scope = await resolve(viewer, services.dictionaries)
        # A query that finds the data changed under it is run again; nothing else can be.
        loaders = _loaders(services, scope, optimistic=True)
        return cls(viewer, scope, loaders, services, services.clock(), request_id, address)

    def compute(self, values: int) -> None:
        """Note so many more figures, before they are read and computed; too many are refused."""
        self.computed += values
        if self.computed > MAX_VALUES:
            raise LimitExceeded(
                f"An answer holds at most {MAX_VALUES:,} values: ask for fewer buckets, groups, "
                "measures or parents at once.",
                limit="values",
            )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """For a mutation's changes: the audit log says that they were made if they were."""
        async with self.services.database.transaction() as connection:
            yield connection
            if self.trail is not None:
                await self.trail.end_with(connection)
        if self.trail is not None:
            self.trail.is_settled = True

    async def renew(self) -> None:
        """For the next answer of a subscription: a new moment, and nothing loaded before it."""
        self.scope = await resolve(self.viewer, self.services.dictionaries)
        self.now = self.services.clock()
        self.computed = 0
        self.forget_loaded()

    def end_answer(self) -> None:
        """Of a subscription: others may follow that are made of what has been loaded."""
        self.computed = 0
        self.loaders.take_new_state()

    def forget_loaded(self) -> None:
        """After a write: what was loaded before it may be out of date."""
        self.release()
        answered = self.loaders.answered
        answered.clear()
        self.loaders = _loaders(self.services, self.scope)
        self.loaders.answered = answered

    @property
    def has_moved(self) -> bool:
        """Whether the data changed between two parts of the answer, which must then be redone."""
        return self.loaders.state.moved

    def begin_again(self) -> None:
        """Answer the operation anew, all of it from one snapshot."""
        self.computed = 0
        self.forget_loaded()

    def release(self) -> None:
        """Nothing more is asked: what the loaders hold of the database goes back."""
        self.loaders.state.release()


def _loaders(services: Services, scope: Scope, *, optimistic: bool = False) -> Loaders:
    return Loaders(services.database, services.analytics, scope, optimistic=optimistic)
