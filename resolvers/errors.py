"""Errors: lists, and one or several by id."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from analytics.periods import Range
from resolvers.context import Context
from resolvers.entity_fields import uuid_of
from resolvers.identifiers import decode, encode_entity
from resolvers.lists import checked_search, within
from resolvers.pages import Connection, PageArguments, page_size, table_page
from resolvers.population import FilterNames, resolve_filter
from storage.error_groups.tables import SEVERITIES, Facet
from storage.errors import InvalidInput
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.queries.conditions import Condition, Operator
from storage.queries.errors.counts import Counting
from storage.queries.errors.listing import IN_RANGE, Selection, listing, shape_of
from storage.queries.errors.related import ERRORS, Key, Related
from storage.queries.errors.searching import Query, find_fingerprints
from storage.queries.scoping import size_of

KIND = "Error"
# The most values of an argument that lists some.
MAX_VALUES = 100


def _column(name: str) -> Any:
    return property(lambda self: self.row[name])


class _Fields(NamedTuple):
    row: Any
    counting: Counting | None = None  # of what the list it is in was about


class Error(_Fields):
    """An error: a group of occurrences."""

    __slots__ = ()

    @property
    def id(self) -> str:
        return encode_entity(KIND, self.project_id, self.error_id)

    @property
    def key(self) -> tuple[int, UUID]:
        return self.project_id, self.error_id

    project_id = _column("project_id")
    error_id = _column("error_id")
    title = _column("title")
    error_type = _column("error_type")
    culprit = _column("culprit")
    severity = property(lambda self: SEVERITIES[self.row["severity"]])
    platform = _column("platform")
    first_at = first_seen = _column("first_at")
    first_release = _column("first_release")
    last_at = last_seen = _column("last_at")
    last_release = _column("last_release")
    occurrences = _column("occurrences")
    user_count = affected_users = _column("user_count")
    status = _column("status")
    decided_at = _column("decided_at")
    decided_by = _column("decided_by")
    resolved_in = _column("resolved_in")
    resolved_after = _column("resolved_after")
    ignored_until = _column("ignored_until")
    ignored_count = _column("ignored_count")
    ignored_release = _column("ignored_release")
    regressed_at = _column("regressed_at")
    regressed_release = _column("regressed_release")
    regressions = _column("regressions")
    occurrences_in_range = _column(IN_RANGE)  # only of a list in this order


@dataclass(frozen=True, slots=True)
class Wanted:
    """The arguments of a list of errors."""

    order: str
    descending: bool = True
    names: FilterNames = field(default_factory=dict)
    statuses: Collection[int] | None = None
    assignees: Collection[str] | None = None
    facets: dict[Facet, tuple[str, ...]] = field(default_factory=dict)
    search: str | None = None
    range: Range | None = None
    first_seen: Range | None = None

    def check(self) -> None:
        """Raises LimitExceeded for too many values."""
        lists = {facet.name.lower() + "s": values for facet, values in self.facets.items()}
        for name, values in {**lists, "assignees": self.assignees or ()}.items():
            page_size(len(values), name, MAX_VALUES)

    def conditions(self) -> tuple[Condition, ...]:
        """The conditions on columns of errors."""
        given = {"status": self.statuses, "assigned_to": self.assignees}
        found = [
            Condition((column,), Operator.IN, sorted(set(values)))
            for column, values in given.items()
            if values is not None
        ]
        if self.first_seen is not None:
            found.append(Condition(("first_at",), Operator.GTE, self.first_seen.start))
            found.append(Condition(("first_at",), Operator.LT, self.first_seen.end))
        return tuple(found)


async def errors(context: Context, wanted: Wanted, page: PageArguments) -> Connection[Error]:
    """Returns a page of the viewer's errors."""
    wanted.check()
    database = context.services.database
    filter = await resolve_filter(context, [ERROR_OCCURRENCES], wanted.names)
    scope, ids = within(context.scope, filter)
    span, found, counting = wanted.range, None, None
    if span is not None:
        counting = Counting((span.start, span.end), ids)
    if wanted.search:
        query = query_of(wanted.search, span)
        found = await find_fingerprints(database, scope, query)
    selection = Selection(ids, wanted.facets, counting, found)
    is_ranged = wanted.order == "occurrences" and counting is not None
    order = IN_RANGE if is_ranged else wanted.order
    shape = shape_of(size_of(scope), selection, order, descending=wanted.descending)
    return await table_page(
        context,
        page,
        listing(shape),
        partial(Error, counting=counting),
        wanted.conditions(),
        scope=scope,
        **selection.parameters(),
    )


def query_of(text: str, span: Range | None) -> Query:
    """A search in a range; raises LimitExceeded or InvalidInput."""
    checked = checked_search(text)
    return Query(checked) if span is None else Query(checked, span.start, span.end)


async def error(context: Context, id: str) -> Error | None:
    """Returns the error of a global id; a merged one leads to the error it is part of."""
    identifier = decode(id)
    if identifier.kind != KIND:
        raise InvalidInput(f"This is the id of {identifier.kind}, not of {KIND}.", path="id")
    if identifier.number is None:
        return None
    return await error_by_key(context, identifier.number, identifier.key)


async def error_by_key(context: Context, project_id: int, key: str) -> Error | None:
    """Returns the error of a global id's key; None for an invalid key."""
    uuid = uuid_of(key)
    return None if uuid is None else await error_of(context, project_id, uuid)


async def error_of(context: Context, project_id: int, id: UUID) -> Error | None:
    """Returns the error that a fingerprint, or an error of this id, is part of."""
    return (await errors_with(context, [(project_id, id)]))[0]


async def errors_with(context: Context, keys: Sequence[Key]) -> list[Error | None]:
    """Returns the error that each fingerprint, or error of this id, is part of."""
    rows = await context.loaders.of_errors(ERRORS, 1).load_many(keys)
    return [Error(of_key[0]) if of_key else None for of_key in rows]


async def errors_by_keys(context: Context, keys: Sequence[Key]) -> list[Error]:
    """Returns the errors that exist, each once, read by one statement."""
    found = await errors_with(context, keys)
    return list({error.key: error for error in found if error is not None}.values())


async def errors_of(context: Context, kind: Related, key: Key, first: int) -> list[Error]:
    """Returns the newest errors of another thing; one statement serves many things."""
    page_size(first)
    rows = await context.loaders.of_errors(kind, first).load(key)
    return [Error(row) for row in rows or ()]


async def occurrences_in_range(context: Context, error: Error) -> int | None:
    """Returns how often it occurred in the range of its list; None without one."""
    if error.counting is None:
        return None
    counts = await context.loaders.error_counts(error.counting).load(error.key)
    return sum((counts or {}).values())
