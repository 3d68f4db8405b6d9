"""Happenings: what rules on events fire for, read from entities and errors that changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts.evidence import Subject
from alerts.rules import EventKind, OnEvent
from storage.alerts import happenings as stored
from storage.alerts.happenings import Key
from storage.connections.database import Connection
from storage.dictionaries import Dictionaries
from storage.dimensions import (
    DIMENSIONS,
    ERROR_TYPE,
    FUNCTION,
    NONE,
    OTHER,
    PROJECT,
    SEVERITY,
    Dimension,
)
from storage.error_groups.tables import SEVERITIES
from storage.facts.builds import BUILDS
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Entity, Fact
from storage.facts.invocations import INVOCATIONS
from storage.facts.lifecycle import Status
from storage.names import OTHER_NAME
from storage.times import full_hour

# What happened longer ago fires nothing: it is history that somebody imports.
HAPPENED_WITHIN = timedelta(hours=1)
# A deployment that was created longer ago and still runs is forgotten.
RUNNING_WITHIN = timedelta(days=1)
CRITICAL = SEVERITIES.index("critical")

# What happens to an error only once.
_ONCE = (EventKind.ERROR_NEW, EventKind.ERROR_REACHED)
_FAILED = {DEPLOYMENTS: EventKind.DEPLOYMENT_FAILED, BUILDS: EventKind.BUILD_FAILED}

Place = Mapping[str, str]  # names by dimension


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened to a subject, and when; with its ``places``, any of which a filter may match.

    ``number`` is what a rule's count or time is compared with: occurrences, projects, seconds. What
    happens to a subject only once has no ``again``; else that tells one time from another. It is
    over at ``until``, or lasts.
    """

    kind: EventKind
    project_id: int | None
    subject: Subject
    at: datetime
    until: datetime | None
    places: tuple[Place, ...]
    number: float = 0.0
    again: str | None = None

    @property
    def instance(self) -> str:
        """The name of the instance of what it happened to."""
        place = "" if self.subject.project_id is None else f"{self.subject.project_id}/"
        return f"{self.subject.kind}/{place}{self.subject.key}"

    def concerns(self, on: OnEvent) -> bool:
        """Whether a rule that watches such events fires for it."""
        if on.event is EventKind.DEPLOYMENT_SLOW:
            is_enough = self.number > (on.after_seconds or 0)
        else:
            is_enough = self.number >= (on.count or 0)
        return is_enough and any(_matches(place, on) for place in self.places)

    def at_for(self, on: OnEvent) -> datetime:
        """When it happened; a deployment is slow from so long after its start."""
        return self.at + timedelta(seconds=on.after_seconds or 0)

    def occurrence(self, on: OnEvent) -> str:
        """Tells this occurrence from others of the same instance."""
        limits = f"{on.event}/{on.count or ''}/{on.after_seconds or ''}"
        return limits if self.again is None else f"{limits}/{self.again}"

    def labels(self, on: OnEvent) -> Place:
        """The names of the place that the rule watches."""
        return next(place for place in self.places if _matches(place, on))


def _matches(place: Place, on: OnEvent) -> bool:
    return all(
        place.get(name) in ([n.lower() for n in names] if DIMENSIONS[name].any_case else names)
        for name, names in on.filter.items()
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads what happened, on one connection, at one time."""

    connection: Connection
    dictionaries: Dictionaries
    now: datetime

    @property
    def since(self) -> datetime:
        """The earliest time of what may still fire."""
        return self.now - HAPPENED_WITHIN

    async def changed(
        self, fact: Fact, keys: Sequence[Key] | None, kinds: Collection[EventKind]
    ) -> list[Happening]:
        """What happened to entities or errors that changed; None for any of them."""
        if isinstance(fact, Entity):
            if keys is None:
                keys = await stored.recent_entities(self.connection, fact, self.since)
            return await self._entities(fact, keys)
        if keys is None:
            keys = await stored.recent_errors(self.connection, self.since)
        found = await self._errors(keys)
        if EventKind.ERROR_SPREAD in kinds:
            found += await self._spread(keys)
        return found

    async def _entities(self, fact: Entity, keys: Sequence[Key]) -> list[Happening]:
        rows = await stored.entities(self.connection, fact, keys)
        slugs = await slugs_of(self.dictionaries, rows)
        found = []
        for row in rows:
            if row["finish_status"] == Status.FAILED:
                found.append(run_failed(fact, row, slugs))
            if fact is DEPLOYMENTS and (took := time_taken(row)):
                ended = row["finished_at"]
                found.append(run_slow(row, ended - took, ended, took, slugs))
        return found

    async def slow(self, after_seconds: int) -> list[Happening]:
        """The deployments that run for so long by now, or longer."""
        started = self.now - timedelta(seconds=after_seconds)
        created = started - RUNNING_WITHIN
        rows = await stored.running_deployments(self.connection, started, created)
        slugs = await slugs_of(self.dictionaries, rows)
        return [
            run_slow(row, at, None, self.now - at, slugs)
            for row in rows
            for at in (row["started_at"],)
        ]

    async def _errors(self, keys: Sequence[Key]) -> list[Happening]:
        rows = await stored.errors(self.connection, keys)
        hour = full_hour(self.since)
        found = await stored.places_of_errors(self.connection, keys, hour)
        places = await places_by_error(self.dictionaries, found)
        slugs = await slugs_of(self.dictionaries, rows)
        return [
            happening
            for row in rows
            for happening in _of_error(
                row, places[row["project_id"], row["error_id"]], slugs[row["project_id"]]
            )
        ]

    async def _spread(self, keys: Sequence[Key]) -> list[Happening]:
        rows = await stored.spread(self.connection, keys, self.since)
        return await spread(self.dictionaries, rows, "last_at", timedelta())

    async def functions(self, project_ids: Collection[int]) -> list[Happening]:
        """The functions that failed in these projects, known to the minute."""
        minute = self.since.replace(second=0, microsecond=0)
        rows = await stored.failing_functions(self.connection, project_ids, minute)
        return await functions_failed(self.dictionaries, rows, apart=lambda _row: None)


async def slugs_of(dictionaries: Dictionaries, rows: Iterable[Any]) -> Mapping[int, str]:
    """Returns the slugs of the projects of rows."""
    return await dictionaries.names(PROJECT, {row["project_id"] for row in rows})


async def places_of(
    dictionaries: Dictionaries, dimensions: Sequence[Dimension], rows: Sequence[Any]
) -> list[dict[str, str]]:
    """Returns the names of each row's ids, without those of which none was given."""
    names = {
        each: await dictionaries.names(each, {row[each.column] for row in rows})
        for each in dimensions
    }
    reserved = {NONE: "", OTHER: OTHER_NAME}
    return [
        {
            each.name: names[each].get(row[each.column], reserved.get(row[each.column], ""))
            for each in dimensions
        }
        for row in rows
    ]


async def places_by_error(
    dictionaries: Dictionaries, rows: Sequence[Any]
) -> Mapping[Key, list[Place]]:
    """Returns the places of rows by their error, in the order of the rows."""
    named = await places_of(dictionaries, ERROR_OCCURRENCES.dimensions, rows)
    places: dict[Key, list[Place]] = defaultdict(list)
    for row, place in zip(rows, named, strict=True):
        places[row["project_id"], row["error_id"]].append(place)
    return places


async def spread(
    dictionaries: Dictionaries, rows: Sequence[Any], at: str, lasted: timedelta
) -> list[Happening]:
    """Returns that signatures occurred in projects, from the time in a column of each row on."""
    slugs = await dictionaries.names(PROJECT, {id for row in rows for id in row["projects"]})
    return [
        Happening(
            EventKind.ERROR_SPREAD,
            None,
            Subject("Signature", str(row["signature"]), row["title"]),
            row[at],
            row[at] + lasted,
            # What these projects tell of it themselves, this explains.
            ({"projects": ",".join(sorted(slugs[id] for id in row["projects"]))},),
            number=len(row["projects"]),
            again=row[at].isoformat(),
        )
        for row in rows
    ]


def time_taken(row: Any) -> timedelta | None:
    """Returns how long a deployment ran, where that is known."""
    if row["finished_at"] is None:
        return None
    if row["duration_us"] is not None:
        return timedelta(microseconds=row["duration_us"])
    return None if row["started_at"] is None else row["finished_at"] - row["started_at"]


def _run(fact: Entity, row: Any, slugs: Mapping[int, str]) -> tuple[Subject, tuple[Place, ...]]:
    """A deployment or a build, and its place."""
    project_id, project = row["project_id"], slugs[row["project_id"]]
    place = {each.name: row[each.name] or "" for each in fact.dimensions} | {"project": project}
    return Subject(fact.stem, str(row["id"]), f"{fact.stem} of {project}", project_id), (place,)


def run_failed(fact: Entity, row: Any, slugs: Mapping[int, str]) -> Happening:
    """Returns that a deployment or a build failed when it finished."""
    subject, places = _run(fact, row, slugs)
    at = row["finished_at"]
    return Happening(_FAILED[fact], row["project_id"], subject, at, at, places)


def run_slow(
    row: Any, at: datetime, until: datetime | None, took: timedelta, slugs: Mapping[int, str]
) -> Happening:
    """Returns that a deployment ran from a time until another, or still does."""
    subject, places = _run(DEPLOYMENTS, row, slugs)
    kind, seconds = EventKind.DEPLOYMENT_SLOW, took.total_seconds()
    return Happening(kind, row["project_id"], subject, at, until, places, number=seconds)


def of_error(
    kind: EventKind,
    row: Any,
    where: tuple[Sequence[Place], str],
    at: datetime,
    *,
    until: datetime | None = None,
    number: float | None = None,
) -> Happening:
    """Returns what happened to an error at a time; ``where`` are its places and its project."""
    places, slug = where
    subject = Subject("Error", str(row["error_id"]), row["title"], row["project_id"])
    own = {
        "project": slug,
        ERROR_TYPE.name: row["error_type"] or "",
        SEVERITY.name: SEVERITIES[row["severity"]],
    }
    return Happening(
        kind,
        row["project_id"],
        subject,
        at,
        until or at,
        tuple({**place, **own} for place in places) or (own,),
        row["occurrences"] if number is None else number,
        None if kind in _ONCE else at.isoformat(),
    )


def _of_error(row: Any, places: Sequence[Place], slug: str) -> Iterator[Happening]:
    where = places, slug
    yield of_error(EventKind.ERROR_NEW, row, where, row["first_at"])
    yield of_error(EventKind.ERROR_REACHED, row, where, row["last_at"])
    if row["regressed_at"] is not None:
        yield of_error(EventKind.ERROR_REGRESSED, row, where, row["regressed_at"])
    if row["severity"] == CRITICAL:
        yield of_error(EventKind.ERROR_CRITICAL, row, where, row["last_at"])


async def functions_failed(
    dictionaries: Dictionaries, rows: Sequence[Any], apart: Callable[[Any], Any]
) -> list[Happening]:
    """Returns that functions failed, with the rows of each that are not told ``apart``."""
    named = await places_of(dictionaries, INVOCATIONS.dimensions, rows)
    slugs = await slugs_of(dictionaries, rows)
    grouped: dict[tuple[int, str, Any], list[tuple[Any, Place]]] = defaultdict(list)
    for row, place in zip(rows, named, strict=True):
        key = row["project_id"], place[FUNCTION.name], apart(row)
        grouped[key].append((row, {**place, PROJECT.name: slugs[row["project_id"]]}))
    return [_function_failed(key[:2], parts) for key, parts in grouped.items()]


def _function_failed(key: tuple[int, str], parts: Sequence[tuple[Any, Place]]) -> Happening:
    """That a function failed, last at the end of its buckets' rows."""
    at = max(row["last_at"] for row, _ in parts)
    return Happening(
        EventKind.FUNCTION_FAILED,
        key[0],
        Subject("Function", key[1], key[1], key[0]),
        at,
        at,
        tuple(place for _, place in parts),
        number=sum(row["errors"] for row, _ in parts),
        again=at.isoformat(),
    )
