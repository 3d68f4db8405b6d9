"""The fields `errors` of other things: the latest errors of each, in one statement for all."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers import errors as resolvers
from resolvers.pages import MAX_PAGE_SIZE
from schema.declarations import HALF_STATEMENT, costs
from schema.info import Info
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.queries.errors.related import Key, Related

if TYPE_CHECKING:
    from schema.things.errors import Error


def errors_field(kind: Related, key: Callable[[Any], Key], of: str) -> Any:
    """The latest errors that belong to something, of which `key` returns the key."""

    async def errors(
        parent: strawberry.Parent[Any],
        info: Info,
        first: Annotated[
            int, strawberry.argument(f"The number of errors, at most {MAX_PAGE_SIZE}.")
        ] = 10,
    ) -> list[Annotated["Error", strawberry.lazy(".errors")]] | None:
        return await resolvers.errors_of(info.context, kind, key(parent), first)  # type: ignore[return-value]

    return strawberry.field(
        errors,
        description=f"The errors {of}, the latest first; null on error.",
        metadata=costs(weight=HALF_STATEMENT, facts=(ERROR_OCCURRENCES.name,)),
    )
