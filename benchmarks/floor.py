"""The floor of a question: the statements that the product itself sends for it, and no more.

They are recorded by the driver while the document is executed in this process, and are sent again
over one connection with the product's own settings.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncpg.connection import LoggedQuery

from access.viewers import Role, Viewer
from analytics.run import Analytics
from benchmarks.questions import Question, Variables
from ingest.intake import Intake
from resolvers.context import Context, Services
from schema import schema
from storage.database import Database
from storage.dimensions import Dictionaries
from storage.windows import DEFAULT, Retention

_ADMIN = Viewer("benchmark", frozenset({Role.ADMIN}), frozenset())


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its arguments."""

    text: str
    arguments: tuple[Any, ...]


Statements = list[Statement]


class Floor:
    """One connection to a database, which records what a question reads and reads it again."""

    def __init__(self, database: Database, services: Services) -> None:
        self._database, self._services = database, services
        self._logged: list[LoggedQuery] = []

    async def statements(self, question: Question, variables: Variables) -> Statements:
        """What the product reads for the question, once names and documents are known to it."""
        async with self._database.connection() as connection:
            connection.add_query_logger(self._log)
        await self._execute(question, variables)
        await self._execute(question, variables)
        async with self._database.connection() as connection:
            connection.remove_query_logger(self._log)
        return [Statement(each.query, tuple(each.args)) for each in self._logged if _reads(each)]

    def _log(self, query: LoggedQuery) -> None:
        self._logged.append(query)

    async def _execute(self, question: Question, variables: Variables) -> None:
        self._logged = []
        context = await Context.create(self._services, _ADMIN, "benchmark")
        result = await schema.execute(question.document, variables, context)
        if result.errors:
            raise RuntimeError(f"{question.name} {variables}: {result.errors}")

    async def run(self, statements: Statements) -> None:
        """Sends the statements one after another and reads their rows."""
        async with self._database.connection() as connection:
            for each in statements:
                await connection.fetch(each.text, *each.arguments)


def _reads(query: LoggedQuery) -> bool:
    text: str = query.query
    return text.lstrip().lower().startswith(("select", "with"))


@asynccontextmanager
async def floor(url: str, retention: Retention = DEFAULT) -> AsyncIterator[Floor]:
    """A floor on a database that nothing else uses through this connection."""
    database = await Database.open(url, pool_size=1, application_name="floor")
    try:
        dictionaries = Dictionaries(database)
        intake = Intake(database, dictionaries, _now)
        analytics = Analytics(database, None, retention, _now)
        services = Services(database, dictionaries, analytics, intake, b"benchmark", _now)
        yield Floor(database, services)
    finally:
        await database.close()


def _now() -> datetime:
    return datetime.now(UTC)
