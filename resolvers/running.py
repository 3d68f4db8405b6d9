"""What runs now: the function invocations that have started and not ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from resolvers.context import Context
from resolvers.lists import Wanted, selected
from resolvers.names import Environment, Function, NameInProject
from resolvers.pages import page_size
from resolvers.population import FilterNames
from storage.facts.invocations import INVOCATIONS
from storage.queries import running as queries
from storage.queries.rows import Order, begins


@dataclass(frozen=True, slots=True)
class RunningInvocation:
    """An invocation that has started and not ended."""

    id: UUID
    project_id: int
    external_id: str | None
    started_at: str  # as text: see storage.queries.times
    function: Function | None
    environment: Environment | None

    @classmethod
    def of(cls, row: Any) -> RunningInvocation:
        names = Function.in_row(row), Environment.in_row(row)
        return cls(row["pair_id"], row["project_id"], row["external_id"], row["at"], *names)


async def running_invocations(
    context: Context, names: FilterNames, first: int
) -> list[RunningInvocation]:
    """Returns the invocations that run, newest first."""
    scope, rows = await selected(context, INVOCATIONS, Wanted(Order(begins(INVOCATIONS)), names))
    database = context.services.database
    found = await queries.newest(database, scope, rows, context.now, page_size(first))
    return list(map(RunningInvocation.of, found))


async def running(context: Context, name: NameInProject) -> int:
    """Returns how many invocations with this name run."""
    loader = context.loaders.of(queries.counts, INVOCATIONS, name.dimension, context.now)
    return await loader.load((name.project_id, name.number)) or 0
