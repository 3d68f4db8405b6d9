"""Two copies of a platform: one where the other tenant never was, one where it is."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from inspect import isawaitable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from graphql import DocumentNode, ExecutionResult, GraphQLError, execute, parse, subscribe, validate
from strawberry.execution.is_awaitable import optimized_is_awaitable
from structlog.testing import capture_logs

from access.sealing import Seals
from access.viewers import Role, Viewer
from analytics.run import Analytics
from gateway.graphql.answers.encoding import encode
from gateway.graphql.errors import executed
from gateway.graphql.execution.compiled import compiled_executor
from ingest.intake import Intake
from ingest.normaliser import TimeWindow
from resolvers.context import Context, Services
from storage import kept_panels, members
from storage.background import running
from storage.connections.database import Database
from storage.dictionaries import (
    Dictionaries,
    TemplateFields,
    upsert_project,
    upsert_template,
)
from storage.errors import GatewayError
from storage.feed.feed import Feed
from storage.keeping.windows import DEFAULT
from storage.kept_panels import NewPanel
from storage.members import MemberFields
from tests.crawl import alerts
from tests.crawl.documents import CORE, Document
from tests.crawl.events import Sender, texts_of
from tests.patience import HANGS_SECONDS
from tests.schema.platform import ADMIN, NOW, TODAY, deployment

# The gateway's own, without its deadline.
EXECUTOR = compiled_executor()
EVERYDAY = frozenset({Role.VIEWER, Role.MAINTAINER, Role.INGEST})
OWN_PROJECT, OWN_SECOND = "heron", "heron-lab"
OWN_PROJECT_ID = 1
HIDDEN_PROJECT, HIDDEN_SECOND = "quagga", "quagga-lab"
# Whatever belongs to the hidden tenant alone has this in it.
CANARY = "quagga"
LIMITED = " Limited"
# Names of dimensions that both tenants use.
SHARED_NAMES = {
    "environment": "production",
    "network": "metis",
    "template": "template-1",
    "framework": "next",
    "function": "checkout",
    "endpoint": "/orders/{id}",
    "phase": "install",
}

HERON = Viewer("heron", EVERYDAY, frozenset({OWN_PROJECT, OWN_SECOND}))
QUAGGA = Viewer("other", EVERYDAY, frozenset({HIDDEN_PROJECT, HIDDEN_SECOND}))


@dataclass
class World:
    """A platform that answers as the gateway does, without what differs between two requests."""

    services: Services
    statements: list[str] = field(default_factory=list)

    async def ask(self, document: Document, viewer: Viewer = HERON) -> str:
        """The body of the answer."""
        result = await self.execute(document, viewer)
        with capture_logs():  # to write out a traceback takes longer than all the rest
            body = executed(result, "request-1")
        return encode(_timeless(body)).decode()

    async def execute(self, document: Document, viewer: Viewer = HERON) -> ExecutionResult:
        context = await Context.create(self.services, viewer, "request-1")
        self.statements.clear()
        try:
            return await self._run(document, context)
        finally:
            context.release()

    async def _run(self, document: Document, context: Context) -> ExecutionResult:
        run: Any = subscribe if document.text.startswith("subscription") else execute
        result = run(
            CORE,
            _parsed(document.text),
            context_value=context,
            variable_values=document.variables,
            executor_class=EXECUTOR,
            is_awaitable=optimized_is_awaitable,
            hide_suggestions=True,
        )
        answer = await result if isawaitable(result) else result
        return answer if isinstance(answer, ExecutionResult) else await _first(answer)


async def _first(messages: AsyncGenerator[ExecutionResult, None]) -> ExecutionResult:
    """What a subscription says at once."""
    try:
        async with asyncio.timeout(HANGS_SECONDS), aclosing(messages):
            return await anext(messages)
    except GatewayError as error:
        return ExecutionResult(None, [GraphQLError(error.message, original_error=error)])


@lru_cache(maxsize=4096)
def _parsed(text: str) -> DocumentNode:
    parsed = parse(text)
    assert not validate(CORE, parsed), text
    return parsed


_RANDOM = re.compile("-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-")
_PER_TIME = re.compile("Per(Day|Week|Hour|Minute|Second)$")


def _timeless(body: Any) -> Any:
    """Without the instant at which the database answered, the rate up to it, and random ids."""
    if isinstance(body, dict):
        return {
            name: None if _differs_always(name, value) else _timeless(value)
            for name, value in body.items()
        }
    return [_timeless(one) for one in body] if isinstance(body, list) else body


def _differs_always(name: str, value: Any) -> bool:
    if name.endswith("_id") and isinstance(value, str):
        return bool(_RANDOM.search(value) or _RANDOM.search(plain_id(value)))
    return name.endswith("asOf") or bool(_PER_TIME.search(name))


def plain_id(id: str) -> str:
    """What a global id says: the kind of thing, and its key. Empty for any other text."""
    try:
        return base64.urlsafe_b64decode(id + "==").decode(errors="replace")
    except ValueError:
        return ""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[World]:
    statements: list[str] = []
    database = await Database.open(
        url, pool_size=4, on_statement=lambda name, _seconds: statements.append(name)
    )
    dictionaries = Dictionaries(database)
    intake = Intake(database, dictionaries, lambda: NOW)
    await intake.start()
    analytics = Analytics(database, None, DEFAULT, lambda: NOW)
    feed = Feed(database)
    given = (database, dictionaries, analytics, intake, b"a key", lambda: NOW)
    services = Services(*given, feed=feed, seals=Seals(["the secret of the settings"]))
    try:
        async with running(feed.follow(), "feed"):
            yield World(services, statements)
    finally:
        await intake.stop()
        await database.close()


async def _load_catalogue(world: World) -> None:
    async with world.services.database.transaction() as connection:
        for number in (1, 2, 3):
            await upsert_template(
                connection, TemplateFields(f"template-{number}", category="starter")
            )
        for slug in (OWN_PROJECT, OWN_SECOND):
            project_id = await upsert_project(connection, slug, slug.title())
            assert (project_id == OWN_PROJECT_ID) is (slug == OWN_PROJECT)
            await members.upsert(connection, project_id, _member(slug), "admin", NOW)
            await kept_panels.add(connection, project_id, _panel(slug))
            await alerts.load(connection, project_id, "heron", NOW)


def _member(slug: str) -> MemberFields:
    return MemberFields(f"{slug}-owner", f"{slug}@example.com", None)


def _panel(slug: str) -> NewPanel:
    question = {
        "measure": "deployments.attempts",
        "group_by": ["network"],
        "filter": {"template": [f"{slug}-template"]},
    }
    panel_id = uuid5(NAMESPACE_URL, f"panel of {slug}")
    return NewPanel(panel_id, f"{slug}'s panel", question, f"{slug}-maintainer", NOW)


async def load_own(world: World) -> None:
    await _load_catalogue(world)
    hour = timedelta(hours=1)
    own = {"environment": "production", "framework": "next"}
    await record(
        world,
        [
            *deployment(OWN_PROJECT, "heron-1", TODAY, template="template-1", **own),
            *deployment(OWN_PROJECT, "heron-2", TODAY + hour, "failed", template="gone", **own),
            *deployment(OWN_PROJECT, "heron-3", TODAY + 2 * hour, "rolled_back", **own),
            *deployment(OWN_SECOND, "heron-4", TODAY + 3 * hour, None, environment="staging"),
            *deployment(OWN_SECOND, "heron-5", TODAY + 4 * hour, network="hyperion"),
            *Sender(OWN_PROJECT, "heron", SHARED_NAMES).events(TODAY, NOW),
            *Sender(OWN_SECOND, "heron").events(TODAY + hour, NOW),
        ],
    )


def hidden_events() -> list[dict[str, Any]]:
    """In the same places as the own tenant's data and in places of its own."""
    return [
        *Sender(HIDDEN_PROJECT, CANARY, SHARED_NAMES).events(TODAY, NOW),
        *Sender(HIDDEN_SECOND, CANARY).events(TODAY, NOW),
    ]


async def load_hidden(world: World) -> None:
    async with world.services.database.transaction() as connection:
        for slug in (HIDDEN_PROJECT, HIDDEN_SECOND):
            project_id = await upsert_project(connection, slug, f"{slug}{LIMITED}")
            await members.upsert(connection, project_id, _member(slug), "admin", NOW)
            await kept_panels.add(connection, project_id, _panel(slug))
            await alerts.load(connection, project_id, CANARY, NOW)
    await record(world, hidden_events())


def hidden_names() -> tuple[str, ...]:
    """The hidden tenant's own names for things, in whatever column."""
    named = (text for event in hidden_events() for text in texts_of(event) if CANARY in text)
    return tuple(dict.fromkeys([*named, f"{HIDDEN_PROJECT}{LIMITED}", *alerts.texts(CANARY)]))


def hidden_labels() -> tuple[str, ...]:
    """The labels of the hidden tenant's samples, as filters take them."""
    sets = [event["labels"] for event in hidden_events() if "labels" in event]
    return tuple(dict.fromkeys(f"{name}={value}" for each in sets for name, value in each.items()))


async def record(world: World, events: Sequence[dict[str, Any]]) -> None:
    for result in await world.services.intake.record(events, ADMIN, TimeWindow(None, None)):
        assert result.status == "accepted", result


@dataclass(frozen=True, slots=True)
class Worlds:
    """The same questions go to both."""

    without: World
    within: World

    async def answers(self, document: Document) -> tuple[str, str]:
        # One after the other: to make a large answer takes this process seconds, in which the other
        # world's wait for a connection would end.
        return await self.without.ask(document), await self.within.ask(document)
