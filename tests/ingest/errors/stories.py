"""Made-up error events of a few failures, and what a count by hand makes of them."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from ingest.identity import entity_uuid
from storage.error_groups.tables import SEVERITIES, Facet
from tests.ingest.errors.bodies import exception, failure, frame

Given = dict[str, Any]
RELEASES = (None, "1.0.0", "1.1.0", "1.2.0-rc.1", "1.2.0")


@dataclass(frozen=True)
class Occurred:
    """An event, the failure that it is of, and what its error is to be called if it is the last."""

    given: Given
    failure: str
    title: str
    error_type: str | None

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.given["time"])

    @property
    def position(self) -> tuple[datetime, UUID]:
        return self.at, UUID(self.given["id"])

    @property
    def severity(self) -> int:
        return SEVERITIES.index(self.given.get("severity", "high"))


def _missing(chance: random.Random) -> tuple[Given, str, str | None]:
    message = f"no row {chance.randrange(99)} in table '{chance.choice('abc')}'"
    return (
        {"errorType": "LookupError", "message": message},
        f"LookupError: {message}",
        "LookupError",
    )


def _full(chance: random.Random) -> tuple[Given, str, str | None]:
    message = f"disk of {chance.randrange(9)} GB is full"
    return {"message": message}, message, None


def _thrown(function: str, chance: random.Random) -> tuple[Given, str, str | None]:
    value = f"bad {chance.choice(('apple', 'pear'))}"
    lines = [f'  File "/code/shop/cart.py", line {chance.randrange(99)}, in {function}', "    f()"]
    text = "\n".join(["Traceback (most recent call last):", *lines, f"ValueError: {value}"])
    return {"stackTrace": text}, f"ValueError: {value}", "ValueError"


def _captured(chance: random.Random) -> tuple[Given, str, str | None]:
    value = chance.choice(("timed out", "refused"))
    frames = [frame("shop.stock", "load", chance.randrange(99))] * chance.randint(1, 3)
    return {"payload": failure(exception("Lost", value, *frames))}, f"Lost: {value}", "Lost"


def _named(chance: random.Random) -> tuple[Given, str, str | None]:
    kind = chance.choice(("Red", "Blue"))
    given = {"errorType": kind, "message": "x", "fingerprint": ["mine", "own"]}
    return given, f"{kind}: x", kind


FAILURES: Mapping[str, Callable[[random.Random], tuple[Given, str, str | None]]] = {
    "missing": _missing,
    "full": _full,
    "thrown in total": partial(_thrown, "total"),
    "thrown in price": partial(_thrown, "price"),
    "captured": _captured,
    "named": _named,
}


def some_occurrences(
    chance: random.Random, at_most: int, *, project: str, start: datetime, minutes: int = 4
) -> list[Occurred]:
    """One or more occurrences within some minutes, at few moments, so that ties happen."""
    occurred = (
        _occurred(chance, project, start + timedelta(seconds=20 * chance.randint(0, 3 * minutes)))
        for _ in range(chance.randint(1, at_most))
    )
    return list({each.position[1]: each for each in occurred}.values())


def _occurred(chance: random.Random, project: str, at: datetime) -> Occurred:
    name = chance.choice(list(FAILURES))
    about, title, error_type = FAILURES[name](chance)
    optional = {
        "release": chance.choice(RELEASES),
        "user": chance.choice((None, *(f"u{number}" for number in range(5)))),
        "environment": chance.choice((None, "production", "staging")),
        "severity": chance.choice((None, *SEVERITIES)),
        "function": chance.choice((None, "pay", "ship")),
        "deployment": chance.choice((None, "d1", "d2")),
        "culprit": chance.choice((None, "/pay")),
    }
    base = {"type": "error.occurred", "id": str(UUID(int=chance.getrandbits(128)))}
    given = base | {"time": at.isoformat(), "project": project} | about
    given |= {key: value for key, value in optional.items() if value is not None}
    return Occurred(given, name, title, error_type)


def errors_of(occurred: Iterable[Occurred]) -> dict[str, dict[str, Any]]:
    """What is to be stored of each failure's error."""
    found = {}
    for name, each in _by_failure(occurred).items():
        first, last = min(each, key=_position), max(each, key=_position)
        found[name] = {
            "title": last.title,
            "error_type": last.error_type,
            "severity": last.severity,
            "first_at": first.at,
            "first_event_id": first.position[1],
            "last_at": last.at,
            "last_event_id": last.position[1],
            "first_release": first.given.get("release"),
            "last_release": last.given.get("release"),
            "occurrences": len(each),
            "user_count": len({user for one in each if (user := one.given.get("user"))}),
        }
    return found


def counts_of(occurred: Iterable[Occurred], unit: str) -> Counter[tuple[Any, ...]]:
    """Occurrences by failure, bucket and the dimensions of a series."""
    floor = {"minute": 0, "second": 0, "microsecond": 0}
    floor |= {"hour": 0} if unit == "day" else {}
    return Counter(
        (
            each.failure,
            each.at.replace(**floor),  # type: ignore[arg-type]
            each.error_type,
            SEVERITIES[each.severity],
            each.given.get("environment"),
        )
        for each in occurred
    )


def facets_of(occurred: Iterable[Occurred]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Number, first and last time, by failure, facet and value."""
    found: defaultdict[tuple[Any, ...], list[datetime]] = defaultdict(list)
    for each in occurred:
        found[each.failure, Facet.RELEASE, each.given.get("release", "")].append(each.at)
        if function := each.given.get("function"):
            found[each.failure, Facet.FUNCTION, function].append(each.at)
        if deployment := each.given.get("deployment"):
            id_ = str(entity_uuid(each.given["project"], deployment))
            found[each.failure, Facet.DEPLOYMENT, id_].append(each.at)
    return {key: (len(times), min(times), max(times)) for key, times in found.items()}


def _by_failure(occurred: Iterable[Occurred]) -> dict[str, list[Occurred]]:
    found: defaultdict[str, list[Occurred]] = defaultdict(list)
    for each in occurred:
        found[each.failure].append(each)
    return found


def _position(occurred: Occurred) -> tuple[datetime, UUID]:
    return occurred.position
