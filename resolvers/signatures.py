"""Failures that several projects have: their spread, and what explains it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from analytics.periods import Range
from analytics.signatures import Explanation, explanation
from resolvers.context import Context
from resolvers.errors import Error
from resolvers.pages import page_size
from resolvers.provisioned import Project, by_id
from storage.dimensions import NETWORK, OTHER, TEMPLATE, Dimension
from storage.queries import signatures as stored
from storage.recent import Recent
from storage.times import midnight

# Fewer projects are not counted for viewers: they could infer what other tenants do.
LEAST_PROJECTS = 5
SPREAD_DAYS = 30
PROJECTS_AT_MOST = 20
SIGNATURES_AT_MOST = 50
# A spread is computed once a minute for all viewers.
_CACHED = timedelta(minutes=1)
_DIMENSIONS = (NETWORK, TEMPLATE)


class Kind(StrEnum):
    """What a cause is; the name of a dimension."""

    NETWORK = "network"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """The number of projects with a failure on a network, or with a template."""

    name: str
    projects: int


@dataclass(frozen=True, slots=True)
class Spread:
    """In how many projects a failure occurs, where, and since when."""

    projects: int
    since: datetime
    networks: Sequence[PlaceCount]
    templates: Sequence[PlaceCount]


@dataclass(frozen=True, slots=True)
class Cause:
    """A network or template that explains a failure."""

    kind: Kind
    name: str
    found: Explanation

    projects = property(lambda self: self.found.projects)
    share = property(lambda self: self.found.share)
    usual_share = property(lambda self: self.found.usual_share)
    p_value = property(lambda self: self.found.p_value)


@dataclass(frozen=True, slots=True)
class FailureSignature:
    """A failure in all projects that have it; its title is that of where it occurs most."""

    signature: UUID
    title: str
    occurrences: int
    first_at: datetime
    project_ids: Sequence[int]  # those with the most occurrences first
    networks: Sequence[PlaceCount]
    templates: Sequence[PlaceCount]
    causes: Sequence[Cause]

    @property
    def project_count(self) -> int:
        return len(self.project_ids)


async def spread(context: Context, error: Error) -> Spread | None:
    """Returns the spread of an error's most widespread signature; None for too few projects."""
    known: Recent[Any, tuple[datetime, Spread | None]] = context.services.spreads
    kept = known.get(error.key)
    if kept is None or context.now - kept[0] > _CACHED:
        kept = known[error.key] = context.now, await _spread(context, error.key)
    found = kept[1]
    return found and _shown(found, context.scope.project_ids)


def _shown(found: Spread, own: Sequence[int] | None) -> Spread | None:
    """The counts that the owner of these projects may see; None stands for all projects.

    Their own projects do not count towards the least number: who sends an error to four projects
    could otherwise see whether a fifth has it.
    """
    least = LEAST_PROJECTS - 1 + max(1, len(own or ()))
    if found.projects < least:
        return None
    networks, templates = (
        [each for each in places if _may_see(each.projects, found.projects, least)]
        for places in (found.networks, found.templates)
    )
    return replace(found, networks=networks, templates=templates)


async def _spread(context: Context, key: tuple[int, UUID]) -> Spread | None:
    database = context.services.database
    signatures = await stored.of_error(database, *key)
    since = midnight(context.now) - timedelta(days=SPREAD_DAYS)
    rows = await stored.spread(database, signatures, since)
    # Never of several signatures together: the difference would tell about small ones.
    whole = [row for row in rows if row["kind"] is None]
    if not whole:
        return None
    widest = max(whole, key=itemgetter("projects", "signature"))
    counts: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for row in rows:
        if row["signature"] == widest["signature"] and row["kind"]:
            counts[row["kind"]][row["id"]] = row["projects"]
    places = [await _place_counts(context, each, counts[each.name]) for each in _DIMENSIONS]
    # The day alone: the exact time would be that of one tenant.
    return Spread(widest["projects"], midnight(widest["first_at"]), *places)


def _may_see(projects: int, of: int, least: int) -> bool:
    """Whether neither these projects nor the rest of them are too few."""
    return projects >= least and (of == projects or of - projects >= least)


async def _place_counts(
    context: Context, dimension: Dimension, projects: dict[int, int]
) -> list[PlaceCount]:
    names = await context.services.dictionaries.names(dimension, projects)
    found = [PlaceCount(names[id], count) for id, count in projects.items() if id in names]
    return sorted(found, key=lambda place: (-place.projects, place.name))


async def failure_signatures(context: Context, span: Range, first: int) -> list[FailureSignature]:
    """Returns the failures that most projects have; only for viewers of all projects."""
    page_size(first, most=SIGNATURES_AT_MOST)
    start, end = midnight(span.start), midnight(span.end + timedelta(days=1, microseconds=-1))
    database = context.services.database
    rows, everyone = await asyncio.gather(
        stored.most_spread(database, start, end, first), stored.population(database, start, end)
    )
    population: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for row in everyone:
        population[row["kind"]][row["id"]] = row["projects"]
    by_signature = [list(of) for _, of in groupby(rows, key=itemgetter("signature"))]
    tests = len(_DIMENSIONS) * len(by_signature)
    return [await _described(context, of, population, tests) for of in by_signature]


async def projects_of(context: Context, found: FailureSignature) -> list[Project]:
    """Returns the projects in which a failure occurs most."""
    ids = found.project_ids[:PROJECTS_AT_MOST]
    loaded = await asyncio.gather(*(by_id(context, Project, id) for id in ids))
    return [project for project in loaded if project is not None]


async def _described(
    context: Context, rows: list[Any], population: dict[str, dict[int, int]], tests: int
) -> FailureSignature:
    places, causes = [], []
    for dimension in _DIMENSIONS:
        projects: defaultdict[int, set[int]] = defaultdict(set)
        for row in rows:
            projects[row[dimension.column]].add(row["project_id"])
        counts = {id: len(of_place) for id, of_place in projects.items()}
        named = {id: count for id, count in counts.items() if id > OTHER}
        places.append(await _place_counts(context, dimension, named))
        found = explanation(counts, population[dimension.name], tests)
        if found is not None:
            names = await context.services.dictionaries.names(dimension, [found.id])
            causes.append(Cause(Kind(dimension.name), names[found.id], found))
    return FailureSignature(
        rows[0]["signature"],
        rows[0]["title"],
        sum(row["occurrences"] for row in rows),
        min(row["first_at"] for row in rows),
        list(dict.fromkeys(row["project_id"] for row in rows)),
        places[0],
        places[1],
        sorted(causes, key=lambda cause: cause.found.p_value),
    )
