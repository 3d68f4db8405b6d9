"""The floor of a question: the time of the statements that the product sends for it, alone.

The driver's log records them while the document is executed in this process. They are then sent
again over one connection with the product's own settings.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncpg.connection import LoggedQuery

from access.viewers import Role, Viewer
from analytics.run import Analytics
from benchmarks.questions import Question, Variables
from gateway.graphql.documents.documents import Documents
from gateway.graphql.execution.executor import Executor
from gateway.graphql.requests import GraphQLRequest
from ingest.intake import Intake
from resolvers.context import Context, Services
from schema import schema
from schema.internals import core
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.keeping.windows import DEFAULT, Retention

_ADMIN = Viewer("benchmark", frozenset({Role.ADMIN}), frozenset())


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its arguments."""

    text: str
    arguments: tuple[Any, ...]


Statements = list[Statement]

# An operation may hold one connection for its aggregates while another reads a list.
_RECORDED_CONNECTIONS = 2


class Floor:
    """Records the statements of a question, and sends them again over one connection."""

    def __init__(self, recorded: Database, services: Services, reading: Database) -> None:
        self._recorded, self._services, self._reading = recorded, services, reading
        self._documents, self._executor = Documents(core(schema)), Executor(schema)
        self._logged: list[LoggedQuery] = []

    async def statements(self, question: Question, variables: Variables) -> Statements:
        """The statements of a question whose names and document are cached."""
        async with AsyncExitStack() as stack:  # all of them, so that none is left out
            for _ in range(_RECORDED_CONNECTIONS):
                connection = await stack.enter_async_context(self._recorded.connection())
                connection.add_query_logger(self._log)
        await self._execute(question, variables)
        await self._execute(question, variables)
        found = [Statement(each.query, tuple(each.args)) for each in self._logged if _reads(each)]
        await self.run(found)  # they are prepared where they are timed
        return found

    def _log(self, query: LoggedQuery) -> None:
        self._logged.append(query)

    async def _execute(self, question: Question, variables: Variables) -> None:
        self._logged = []
        request = GraphQLRequest(question.document, None, variables, None)
        context = Context.create(self._services, _ADMIN, "benchmark")
        document = self._documents.get(question.document)
        result = await self._executor.run(document, request, context)
        if result.errors:
            raise RuntimeError(f"{question.name} {variables}: {result.errors}")
        await asyncio.sleep(0)  # the driver logs in the next iteration of the loop

    async def run(self, statements: Statements) -> None:
        """Sends the statements one after another and reads their rows."""
        async with self._reading.connection() as connection:
            for each in statements:
                await connection.fetch(each.text, *each.arguments)


def _reads(query: LoggedQuery) -> bool:
    text: str = query.query
    return text.lstrip().lower().startswith(("select", "with"))


@asynccontextmanager
async def floor(url: str, retention: Retention = DEFAULT) -> AsyncIterator[Floor]:
    """Opens a floor on a database, with connections of its own."""
    async with _opened(url, _RECORDED_CONNECTIONS) as recorded, _opened(url, 1) as reading:
        dictionaries = Dictionaries(recorded)
        intake = Intake(recorded, dictionaries, _now)
        analytics = Analytics(recorded, None, retention, _now)
        services = Services(recorded, dictionaries, analytics, intake, b"benchmark", _now)
        yield Floor(recorded, services, reading)


@asynccontextmanager
async def _opened(url: str, connections: int) -> AsyncIterator[Database]:
    database = await Database.open(url, pool_size=connections, application_name="floor")
    try:
        yield database
    finally:
        await database.close()


def _now() -> datetime:
    return datetime.now(UTC)
