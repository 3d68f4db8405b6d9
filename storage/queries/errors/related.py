"""What belongs to errors, and the errors of other things: one statement for many keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BigInteger, Integer, Select, Text, Uuid, bindparam, func, select, true

from storage.connections.database import Database
from storage.connections.query import SqlQuery, unnested
from storage.dimensions import Dimension
from storage.error_groups.tables import (
    TIME,
    ErrorStatus,
    Facet,
    bodies,
    comments,
    error_days,
    errors,
    facets,
    fingerprints,
)
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Append
from storage.queries.errors.counts import of_error, of_fingerprint, same
from storage.queries.joins import PLAIN, joined
from storage.queries.rows import columns
from storage.queries.scoping import ProjectScope, ScopeSize, allowed, fetch_within, key_values

Key = tuple[Any, ...]
# The select of the rows of one key, which is a row of this row set.
Build = Callable[[Any], Select[Any]]

_PROJECT = ("project_id", BigInteger)
_ERROR = (_PROJECT, ("error_id", Uuid))
_ROWS, _SERIES = ERROR_OCCURRENCES.table, ERROR_OCCURRENCES.series
_MERGED = int(ErrorStatus.MERGED)


@dataclass(frozen=True, slots=True, eq=False)
class Related:
    """A kind of rows that are read by key: the columns of the key, and the rows of one."""

    name: str
    key: tuple[tuple[str, Any], ...]
    build: Build
    names: Append | None = None  # the fact of rows to which the names of their series are joined


async def related(
    database: Database,
    scope: ProjectScope,
    kind: Related,
    first: int,
    keys: Sequence[Key],
) -> dict[Key, list[Any]]:
    """The first rows of each key."""
    found: dict[Key, list[Any]] = {key: [] for key in keys}
    values = key_values(keys) | {"first": first}
    for row in await fetch_within(database, scope, _related, kind, **values):
        found[keys[row["position"] - 1]].append(row)
    return found


@lru_cache
def _related(scope_size: ScopeSize, kind: Related) -> SqlQuery:
    parameters = {name: (f"key{at}", type_) for at, (name, type_) in enumerate(kind.key)}
    wanted = unnested(parameters, position="position")
    rows = kind.build(wanted)
    # Inside, so that rows of others take no place of the first ones.
    inside = allowed(rows.selected_columns.project_id, scope_size)
    limit = bindparam("first", type_=Integer, required=True)
    of_key = rows.where(inside).limit(limit).correlate(wanted).lateral("of_key")
    found = select(wanted.c.position, of_key).select_from(wanted.join(of_key, true()))
    if kind.names:
        page = found.subquery("page")
        order = page.c.position, page.c.occurred_at.desc(), page.c.event_id.desc()
        found = joined(kind.names, page, PLAIN).order_by(*order)  # joins keep no order
    return SqlQuery(kind.name, found)


def _of_fingerprints(key: Any) -> Select[Any]:
    found = select(errors).join(fingerprints, of_error(errors))
    return found.where(of_fingerprint(key))


# By fingerprint. Every id of an error is one of a fingerprint too, also after a merge.
ERRORS = Related("errors_by_id", (_PROJECT, ("fingerprint_id", Uuid)), _of_fingerprints)


def _newest(*where: Any) -> Select[Any]:
    found = select(errors).where(errors.c.status != _MERGED, *where)
    return found.order_by(errors.c.last_at.desc(), errors.c.project_id, errors.c.error_id)


NEWEST_OF_PROJECT = Related(
    "errors_of_projects", (_PROJECT,), lambda key: _newest(errors.c.project_id == key.c.project_id)
)


@cache
def newest_of_facet(facet: Facet) -> Related:
    """The errors with a value of a facet, by project and value."""

    def build(key: Any) -> Select[Any]:
        of_value = (
            select(fingerprints.c.error_id)
            .join(facets, of_fingerprint(facets))
            .where(
                facets.c.project_id == key.c.project_id,
                facets.c.facet == int(facet),
                facets.c.value == key.c.value,
            )
            .correlate(key)
        )
        return _newest(errors.c.project_id == key.c.project_id, errors.c.error_id.in_(of_value))

    return Related(f"errors_of_{facet.name.lower()}s", (_PROJECT, ("value", Text)), build)


@cache
def newest_of_dimension(dimension: Dimension) -> Related:
    """The errors with an occurrence of a network or template, by its id."""

    def build(key: Any) -> Select[Any]:
        is_of = (
            select(fingerprints.c.error_id)
            .join(error_days, of_fingerprint(error_days))
            .join(_SERIES, same(_SERIES, error_days, "series_id"))
            .where(of_error(errors))
            .where(_SERIES.c[dimension.column] == key.c.number)
            .correlate(errors, key)
            .exists()
        )
        return _newest(is_of)

    return Related(f"errors_of_{dimension.plural}", (("number", Integer),), build)


def _fingerprints(key: Any) -> Select[Any]:
    names = ("project_id", "fingerprint_id", "grouping", "occurrences", "first_at", "last_at")
    found = select(*(fingerprints.c[name] for name in names)).where(of_error(key))
    return found.order_by(fingerprints.c.last_at.desc(), fingerprints.c.fingerprint_id)


FINGERPRINTS = Related("error_fingerprints", _ERROR, _fingerprints)


@cache
def of_facet(facet: Facet) -> Related:
    """The values of a facet of each error with their counts, the latest first."""

    def build(key: Any) -> Select[Any]:
        last = func.max(facets.c.last_at)
        return (
            select(
                facets.c.project_id,
                facets.c.value,
                func.sum(facets.c.occurrences).cast(BigInteger).label("occurrences"),
                func.min(facets.c.first_at).label("first_at"),
                last.label("last_at"),
            )
            .join(fingerprints, of_fingerprint(facets))
            .where(
                of_error(key),
                facets.c.facet == int(facet),
                facets.c.value != "",
            )
            .group_by(facets.c.project_id, facets.c.value)
            .order_by(last.desc(), facets.c.value)
        )

    return Related(f"{facet.name.lower()}s_of_errors", _ERROR, build)


def _ids_of(key: Any) -> Select[Any]:
    """The ids of an error and of those that are merged into it."""
    return select(fingerprints.c.fingerprint_id).where(of_error(key)).correlate(key)


def _comments(key: Any) -> Select[Any]:
    found = select(comments).where(
        comments.c.project_id == key.c.project_id, comments.c.error_id.in_(_ids_of(key))
    )
    return found.order_by(comments.c.created_at, comments.c.comment_id)


COMMENTS = Related("comments_of_errors", _ERROR, _comments)


def _merged(key: Any) -> Select[Any]:
    found = select(errors).where(
        errors.c.project_id == key.c.project_id,
        errors.c.error_id.in_(_ids_of(key)),
        errors.c.error_id != key.c.error_id,
    )
    return found.order_by(errors.c.last_at.desc(), errors.c.error_id)


MERGED = Related("merged_of_errors", _ERROR, _merged)

_AT = ("occurred_at", "event_id")
_OCCURRENCE = (_PROJECT, ("occurred_at", TIME), ("event_id", Uuid))


OCCURRENCES = Related(
    "error_occurrences_by_key",
    _OCCURRENCE,
    lambda key: select(*columns(ERROR_OCCURRENCES)).where(same(_ROWS, key, *_AT)),
    names=ERROR_OCCURRENCES,
)
BODIES = Related(
    "error_bodies_by_key",
    _OCCURRENCE,
    lambda key: select(bodies.c.project_id, bodies.c.body).where(same(bodies, key, *_AT)),
)
