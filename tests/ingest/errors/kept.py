"""What is stored of errors beside their rows, by brute force: sort the events and count."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from storage.connections.database import Database

Event = dict[str, Any]

# The words of an event, and what is stored of them.
_SEVERITIES = {"low": 0, "warning": 1, "error": 2, "fatal": 3}
_OPEN, _RESOLVED, _IGNORED = 0, 1, 2


class Decision(NamedTuple):
    """What people decided about an error before its later events came."""

    status: int
    at: datetime
    resolved_in: str | None = None
    ignored_count: int | None = None


def resolved(at: datetime, release: str | None = None) -> Decision:
    return Decision(_RESOLVED, at, resolved_in=release)


def ignored(at: datetime, count: int) -> Decision:
    return Decision(_IGNORED, at, ignored_count=count)


def time_of(event: Event) -> datetime:
    return datetime.fromisoformat(event["time"])


def position(event: Event) -> tuple[datetime, UUID]:
    return time_of(event), UUID(event["id"])


def error_of(events: Iterable[Event], decision: Decision | None = None) -> dict[str, Any]:
    """The row of an error with these events, each given once."""
    ordered = sorted(events, key=position)
    first, last = ordered[0], ordered[-1]
    return {
        "title": f"{last['errorType']}: {last['message']}",
        "error_type": last["errorType"],
        "culprit": last["culprit"],
        "severity": _SEVERITIES[last["severity"]],
        "first_at": time_of(first),
        "first_event_id": UUID(first["id"]),
        "first_release": first.get("release"),
        "last_at": time_of(last),
        "last_event_id": UUID(last["id"]),
        "last_release": last.get("release"),
        "occurrences": len(ordered),
        "user_count": len({event["user"] for event in ordered if event.get("user")}),
        **_state(ordered, decision),
    }


def _state(ordered: Sequence[Event], decision: Decision | None) -> dict[str, Any]:
    state = {"status": _OPEN, "regressions": 0, "regressed_at": None, "regressed_release": None}
    if decision is None:
        return state
    if decision.status == _IGNORED:
        is_over = len(ordered) > (decision.ignored_count or 0)
        return state | {"status": _OPEN if is_over else _IGNORED}
    back = [each for each in ordered if time_of(each) > decision.at and _is_back(each, decision)]
    if not back:
        return state | {"status": _RESOLVED}
    at = time_of(back[0])  # of what came at that moment, what has a release tells it
    releases = [each["release"] for each in back if time_of(each) == at and "release" in each]
    found = {"regressed_at": at, "regressed_release": min(releases, default=None)}
    return state | found | {"regressions": 1}


def _is_back(event: Event, decision: Decision) -> bool:
    """Whether the event is of no release before that of the fix; releases are whole numbers."""
    release, fixed_in = event.get("release"), decision.resolved_in
    return not (release and fixed_in and int(release) < int(fixed_in))


def buckets_of(events: Iterable[Event], **start: Any) -> Counter[tuple[Any, ...]]:
    """The occurrences by bucket and names; `start` are the parts of a time that it begins with."""
    return Counter((time_of(event).replace(**start), *_names(event)) for event in events)


def _names(event: Event) -> tuple[Any, ...]:
    severity = ("low", "medium", "high", "critical")[_SEVERITIES[event["severity"]]]
    names = (event.get(name, "") for name in ("environment", "network", "template"))
    return event["errorType"], severity, *names


def facets_of(events: Sequence[Event]) -> dict[tuple[int, str], tuple[int, datetime, datetime]]:
    """Occurrences, first and last time by release, which may be none, and by function."""
    found: dict[tuple[int, str], list[datetime]] = {}
    for event in events:
        found.setdefault((1, event.get("release") or ""), []).append(time_of(event))
        if event.get("function"):
            found.setdefault((2, event["function"]), []).append(time_of(event))
    return {key: (len(times), min(times), max(times)) for key, times in found.items()}


def releases_of(events: Iterable[Event]) -> dict[str, datetime]:
    """When each release of a project was first seen."""
    first: dict[str, datetime] = {}
    for event in sorted(events, key=time_of):
        if event.get("release"):
            first.setdefault(event["release"], time_of(event))
    return first


class Stored:
    """Reads what is stored of one project's errors."""

    def __init__(self, database: Database, project: str) -> None:
        self._database, self._project = database, project

    async def fingerprints(self) -> dict[UUID, set[UUID]]:
        """The ids of the rows of each fingerprint."""
        found: dict[UUID, set[UUID]] = {}
        for row in await self._rows("error_occurrences"):
            found.setdefault(row["fingerprint_id"], set()).add(row["event_id"])
        return found

    async def errors(self) -> dict[UUID, dict[str, Any]]:
        return {row["error_id"]: row for row in await self._rows("errors")}

    async def sums(self) -> dict[UUID, tuple[int, datetime, datetime]]:
        """Occurrences, first and last time of each fingerprint."""
        return {
            row["fingerprint_id"]: (row["occurrences"], row["first_at"], row["last_at"])
            for row in await self._rows("error_fingerprints")
        }

    async def buckets(self, table: str, fingerprint: UUID) -> Counter[tuple[Any, ...]]:
        labels = ", ".join(
            f"(select {label} from {names} as known where known.{key} = series.{key})"
            for label, names, key in _SERIES
        )
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"select bucket, {labels}, occurrences from {table}"
                " join projects using (project_id)"
                " join error_occurrence_series as series using (project_id, series_id)"
                " where slug = $1 and fingerprint_id = $2",
                self._project,
                fingerprint,
            )
        counts: Counter[tuple[Any, ...]] = Counter()
        for *key, number in (tuple(row.values()) for row in rows):
            counts[tuple(key)] += number
        return counts

    async def facets(self, fingerprint: UUID) -> dict[tuple[int, str], Any]:
        return {
            (row["facet"], row["value"]): (row["occurrences"], row["first_at"], row["last_at"])
            for row in await self._rows("error_facets")
            if row["fingerprint_id"] == fingerprint
        }

    async def releases(self) -> dict[str, datetime]:
        return {row["release"]: row["first_at"] for row in await self._rows("releases")}

    async def bodies(self) -> dict[UUID, list[dict[str, Any]]]:
        found: dict[UUID, list[dict[str, Any]]] = {}
        for row in await self._rows("error_bodies"):
            found.setdefault(row["fingerprint_id"], []).append(row)
        return found

    async def _rows(self, table: str) -> list[dict[str, Any]]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"select known.* from {table} as known join projects using (project_id)"
                " where slug = $1",
                self._project,
            )
        return [dict(row) for row in rows]


# The label, the dictionary and the key of each dimension.
_SERIES = (
    ("name", "error_types", "error_type_id"),
    ("name", "severities", "severity_id"),
    ("name", "environments", "environment_id"),
    ("name", "networks", "network_id"),
    ("slug", "templates", "template_id"),
)
