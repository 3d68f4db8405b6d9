"""Streams of events from the real data sets, in which nothing has been planted."""

from __future__ import annotations

import csv
import gzip
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from analytics.significance import History, Sample
from tests.simulations.streams import HALF_HOURS, in_days

HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Recording:
    """Events of a data set: their times; with ``trials``, those of all they are a part of."""

    name: str
    times: Sequence[datetime]
    trials: Sequence[datetime] = ()

    def windows(self, number: int, days: int) -> Iterator[tuple[History, Sample]]:
        """Draws windows of half an hour, each with the history before it, of so many days."""
        first, last = min(self.trials or self.times), max(self.trials or self.times)
        origin = first.replace(minute=0, second=0, microsecond=0)
        events, trials = _counted(self.times, origin), _counted(self.trials, origin)
        earliest, latest = days * HALF_HOURS, (last - origin) // HALF_HOUR
        chance = random.Random(self.name)
        exposures = [trials[n] if self.trials else 0.5 for n in range(latest + 1)]
        for _ in range(number if earliest < latest else 0):
            at = chance.randrange(earliest // 2, latest // 2) * 2
            before = range(at - days * HALF_HOURS, at)
            history = in_days([events[n] for n in before], [exposures[n] for n in before])
            yield history, Sample(events[at], exposures[at])


def _counted(times: Sequence[datetime], origin: datetime) -> Counter[int]:
    return Counter((at - origin) // HALF_HOUR for at in times)


def recordings(folder: Path) -> Iterator[Recording]:
    """Reads the streams of the data sets in a folder."""
    requests = list(_requests(folder))
    missing = [at for at, status in requests if status == 404]
    yield Recording("web server: requests", [at for at, _ in requests])
    yield Recording("web server: pages not found, of requests", missing, [at for at, _ in requests])
    builds = list(_builds(folder))
    for project in sorted({name for name, _, _ in builds}):
        own = [(at, result) for name, at, result in builds if name == project]
        failed = [at for at, result in own if result == "FAILURE"]
        yield Recording(f"{project}: failed builds", failed)
        yield Recording(f"{project}: failed builds, of builds", failed, [at for at, _ in own])
    yield Recording("18 sites: reports that one is down", list(_downs(folder)))
    yield Recording("54 apps: deployments", [at for _, _, at in deployments(folder)])


def deployments(folder: Path) -> list[tuple[str, str, datetime]]:
    """Returns the app, the environment and the time of real deployments."""
    with _opened(folder / "deployments" / "govuk-image-tag-updates-2025H1.csv.gz") as file:
        return [
            (row["app"], row["environment"], datetime.fromisoformat(row["committed_at"]))
            for row in csv.DictReader(file)
        ]


def _requests(folder: Path) -> Iterator[tuple[datetime, int]]:
    with _opened(folder / "http-logs" / "apache_logs.gz") as file:
        for line in file:
            found = re.search(r'\[([^\]]+)\] ".*?" (\d{3}) ', line)
            if found:
                yield datetime.strptime(found[1], "%d/%b/%Y:%H:%M:%S %z"), int(found[2])


def _builds(folder: Path) -> Iterator[tuple[str, datetime, str]]:
    known = set()
    for path in sorted((folder / "ci-builds").iterdir()):
        with _opened(path) as file:
            for row in csv.DictReader(file):
                build = row["project"], row["pr_name"], row["build_id"]
                if build not in known:
                    known.add(build)
                    at = datetime.fromtimestamp(float(row["build_timestamp"]), UTC)
                    yield row["project"], at, row["build_result"]


def _downs(folder: Path) -> Iterator[datetime]:
    with _opened(folder / "uptime" / "checks.csv") as file:
        for row in csv.DictReader(file):
            if row["status"] == "down":
                yield datetime.fromisoformat(row["checked_at"])


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8")
