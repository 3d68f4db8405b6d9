"""The fields `logLines` of other things: the newest lines of each."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers.context import Context
from resolvers.pages import MAX_PAGE_SIZE
from schema.declarations import HALF_STATEMENT, costs
from schema.info import Info
from storage.facts.log_lines import LOG_LINES

if TYPE_CHECKING:
    from schema.things.log_lines import LogLine

Find = Callable[[Context, Any, int], Awaitable[Any]]


def log_lines_field(find: Find, of: str, weight: int = HALF_STATEMENT) -> Any:
    """The newest log lines that belong to something."""

    async def log_lines(
        parent: strawberry.Parent[Any],
        info: Info,
        first: Annotated[
            int, strawberry.argument(f"The number of lines, at most {MAX_PAGE_SIZE}.")
        ] = 20,
    ) -> list[Annotated["LogLine", strawberry.lazy(".log_lines")]] | None:
        return await find(info.context, parent, first)  # type: ignore[no-any-return]

    return strawberry.field(
        log_lines,
        description=f"The log lines {of}, newest first; null on error.",
        metadata=costs(weight=weight, facts=(LOG_LINES.name,)),
    )
