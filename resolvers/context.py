"""The context of a request: its viewer, scope, loaders and services."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from access.limits import NO_LIMITS, Rules
from access.scopes import Scope, resolve
from access.sealing import Seals
from access.viewers import Viewer
from alerts.delivery.channel import Outside
from analytics.run import Analytics
from dataloaders.loaders import Loaders
from ingest.intake import Intake
from storage.admin import audit
from storage.connections.database import Connection, Database
from storage.dictionaries import Dictionaries
from storage.errors import LimitExceeded, NotFound
from storage.feed.feed import Feed
from storage.recent import Recent

# Computing and serialising this many values takes a second, in which the process does nothing else.
MAX_VALUES = 200_000


@dataclass(frozen=True, slots=True)
class Services:
    """Objects that live as long as the process."""

    database: Database
    dictionaries: Dictionaries
    analytics: Analytics
    intake: Intake
    cursor_key: bytes
    clock: Callable[[], datetime]
    limits: Rules = NO_LIMITS  # the rate limits of the settings
    feed: Feed | None = None  # notifies subscriptions of changes
    archives: Path | None = None  # the folder of archived events
    public_url: str = ""  # at which SDKs reach this gateway; empty for that of the request
    outside: Outside = field(default_factory=Outside)  # how a test of a channel leaves
    seals: Seals = field(default_factory=lambda: Seals(()))  # opens the secrets of channels
    # Look-ahead of selections without variables, computed once per document.
    selections: dict[Any, Any] = field(default_factory=dict)
    # The spread of errors, as of a time.
    spreads: Recent[Any, Any] = field(default_factory=lambda: Recent(10_000))


@dataclass(slots=True)
class Trail:
    """A mutation's entry in the audit log."""

    entry_id: int
    is_settled: bool = False  # its outcome was committed together with the changes

    async def end_with(self, connection: Connection) -> None:
        await audit.end(connection, self.entry_id, audit.OK)


@dataclass(slots=True)
class Context:
    """The state of one request; loaders are never shared between requests."""

    viewer: Viewer
    scope: Scope
    loaders: Loaders
    services: Services
    now: datetime
    request_id: str
    address: str = ""
    base_url: str = ""  # this gateway's, as the client wrote it
    trail: Trail | None = None  # of the mutation being run
    # Look-ahead, computed once per field of the document, not once per parent.
    memo: dict[Any, Any] = field(default_factory=dict)
    computed: int = 0
    # For subscriptions: whether each message holds the full state, or only a change.
    sends_full_state: bool = True
    # For subscriptions: sends the state once more, for clients that joined later.
    send_again: Callable[[], None] = lambda: None

    @classmethod
    async def create(
        cls,
        services: Services,
        viewer: Viewer,
        request_id: str,
        address: str = "",
        base_url: str = "",
    ) -> Context:
        scope = await resolve(viewer, services.dictionaries)
        # Only queries can be run again if the data changes meanwhile.
        loaders = _loaders(services, scope, optimistic=True)
        now = services.clock()
        return cls(viewer, scope, loaders, services, now, request_id, address, base_url)

    @property
    def public_url(self) -> str:
        """The address of this gateway for SDKs."""
        return self.services.public_url or self.base_url

    async def project_ids(self, slugs: Iterable[str]) -> dict[str, int]:
        """Returns the ids of the projects in scope, by slug.

        Other slugs are never looked up, so that no delay reveals which projects exist.
        """
        allowed = {slug for slug in slugs if self.viewer.may_name(slug)}
        ids = await self.services.dictionaries.project_ids(allowed) if allowed else {}
        return {slug: id for slug, id in ids.items() if id in self.scope}

    async def project_id(self, slug: str) -> int | None:
        """Returns the id of a project in scope; None for any other."""
        return (await self.project_ids([slug])).get(slug)

    async def required_project_id(self, slug: str) -> int:
        """Returns the id of a project in scope; raises NotFound for the argument `project`."""
        project_id = await self.project_id(slug)
        if project_id is None:
            raise NotFound(f"There is no project {slug[:100]!r}.", path="project")
        return project_id

    def compute(self, values: int) -> None:
        """Counts values before they are computed; raises LimitExceeded for too many."""
        self.computed += values
        if self.computed > MAX_VALUES:
            raise LimitExceeded(
                f"A response holds at most {MAX_VALUES:,} values: ask for fewer buckets, groups, "
                "measures or parents at once.",
                limit="values",
            )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction for a mutation's changes and their outcome in the audit log."""
        async with self.services.database.transaction() as connection:
            yield connection
            if self.trail is not None:
                await self.trail.end_with(connection)
        if self.trail is not None:
            self.trail.is_settled = True

    async def renew(self) -> None:
        """Prepares a subscription's next message: new scope and time, no loaded rows."""
        self.scope = await resolve(self.viewer, self.services.dictionaries)
        self.now = self.services.clock()
        self.computed = 0
        self.forget_loaded()

    def end_answer(self) -> None:
        """Ends a subscription's message; the next one may use the loaded rows."""
        self.computed = 0
        self.loaders.take_new_state()

    def forget_loaded(self) -> None:
        """Forgets loaded rows, which a write may have made out of date."""
        self.release()
        answered = self.loaders.answered
        answered.clear()
        self.loaders = _loaders(self.services, self.scope)
        self.loaders.answered = answered

    @property
    def data_changed(self) -> bool:
        """Whether the data changed between two parts of the response, which must be run again."""
        return self.loaders.state.data_changed

    def restart(self) -> None:
        """Prepares to run the operation again, in one snapshot."""
        self.computed = 0
        self.forget_loaded()

    def release(self) -> None:
        """Returns the loaders' database connection to the pool."""
        self.loaders.state.release()


def _loaders(services: Services, scope: Scope, *, optimistic: bool = False) -> Loaders:
    return Loaders(services.database, services.analytics, scope, optimistic=optimistic)
