"""Real times of builds, deployments and requests, in which nothing has been planted.

tests/data/SOURCES.md says where they come from.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from analytics.significance import History, RateTest, Sample
from storage.times import DAY, full_hour
from tests.simulations.streams import HALF_HOURS, in_days

FOLDER = Path(__file__).parents[1] / "data" / "times"
HALF_HOUR = timedelta(minutes=30)


class Happened(NamedTuple):
    """A build of a project, a deployment of an app or a request: when, and what it was."""

    of: str
    at: datetime
    what: str = ""  # the result of a build, the environment of a deployment, the status
    pull_request: str = ""


def builds() -> list[Happened]:
    return _read("builds", "project", "result", "pull_request")


def deployments() -> list[Happened]:
    return _read("deployments", "app", "environment")


def requests() -> list[Happened]:
    return _read("requests", "status", "status")


def _read(name: str, of: str, *more: str) -> list[Happened]:
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        return [
            Happened(row[of], datetime.fromisoformat(row["time"]), *(row[each] for each in more))
            for row in csv.DictReader(file)
        ]


def by_name(rows: Iterable[Happened]) -> dict[str, list[Happened]]:
    """Returns the rows of each project or app, in the order of time."""
    found: dict[str, list[Happened]] = {}
    for row in sorted(rows, key=attrgetter("at")):
        found.setdefault(row.of, []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class Recording:
    """The times of events; with ``trials``, those of all they are a part of."""

    name: str
    times: Sequence[datetime]
    trials: Sequence[datetime] = ()

    def windows(self, number: int) -> Iterator[tuple[History, Sample]]:
        """Draws windows of half an hour at random hours, each with the history before it."""
        first, last = min(self.trials or self.times), max(self.trials or self.times)
        origin, days = full_hour(first), _history_days(self.times)
        events, trials = _counted(self.times, origin), _counted(self.trials, origin)
        earliest, latest = days * HALF_HOURS, (last - origin) // HALF_HOUR
        chance = random.Random(self.name)
        exposures = [trials[n] if self.trials else 0.5 for n in range(latest + 1)]
        for _ in range(number if earliest < latest else 0):
            at = chance.randrange(earliest // 2, latest // 2) * 2
            before = range(at - days * HALF_HOURS, at)
            history = in_days([events[n] for n in before], [exposures[n] for n in before])
            yield history, Sample(events[at], exposures[at])


def _history_days(times: Sequence[datetime]) -> int:
    return min(28, max(3, (max(times) - min(times)) // DAY - 3))


def _counted(times: Sequence[datetime], origin: datetime) -> Counter[int]:
    return Counter((at - origin) // HALF_HOUR for at in times)


def recordings() -> dict[str, list[Recording]]:
    """Returns the recordings by what they are of."""
    asked, missing = [row.at for row in requests()], "web server: pages not found, of requests"
    found = {
        "web server: requests": [Recording("web server: requests", asked)],
        missing: [
            Recording(missing, [row.at for row in requests() if row.what == "404"], asked),
        ],
        "9 projects: failed builds": [],
        "9 projects: failed builds, of builds": [],
        "54 apps: deployments": [
            Recording("54 apps: deployments", [row.at for row in deployments()])
        ],
    }
    for project, built in sorted(by_name(builds()).items()):
        failed = [row.at for row in built if row.what == "FAILURE"]
        name, whole = f"{project}: failed builds", [row.at for row in built]
        found["9 projects: failed builds"].append(Recording(name, failed))
        found["9 projects: failed builds, of builds"].append(
            Recording(f"{name}, of builds", failed, whole)
        )
    return found


def alarms(number: int) -> dict[str, Counter[bool]]:
    """Returns how many of so many windows of each recording are taken for a rise."""
    return {
        name: Counter(
            RateTest(history).change(window).is_rise
            for recording in group
            for history, window in recording.windows(number)
        )
        for name, group in recordings().items()
    }
