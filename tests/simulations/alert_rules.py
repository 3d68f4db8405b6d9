"""How often failure-rate rules page, with and without a guard: the tables of docs/alert-rules.md.

`python -m tests.simulations.alert_rules SEEDS=6 DAYS=90` prints them. Rules are played back by
`alerts.replay`, so by the judgement and the states of live alerts.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median

from access.scopes import Scope
from alerts.back_test import Plan
from alerts.replay import BackTest, replay
from alerts.rules import LITERAL, SIGNIFICANT, Guard, GuardKind, Operator, Threshold, Watch
from analytics.answer import Answer, Bucket, Source
from analytics.components import Components, positions, zero
from analytics.periods import Range
from analytics.slices import Filter, Slice
from storage.facts import FACTS
from storage.times import DAY, HOUR, full_hour
from tests.simulations.real_data import Happened, builds, by_name
from tests.simulations.streams import poisson_number

MINUTE = timedelta(minutes=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
PER_HOUR = (1, 3, 12, 60)
GUARDS: Mapping[str, Guard] = {
    "literal": LITERAL,
    "at least 5": Guard(GuardKind.MIN_SAMPLE, at_least=5),
    "at least 10": Guard(GuardKind.MIN_SAMPLE, at_least=10),
    "significant, 0.01": SIGNIFICANT,
    "significant, 0.001": Guard(GuardKind.SIGNIFICANT, alpha=0.001),
}
USUAL, INCIDENT, INCIDENT_LENGTH = 0.04, 0.5, 4 * HOUR
RULE = Watch(
    "deployments.failure_rate_of_finishes",
    3_600,
    Threshold(Operator.ABOVE, 0.1),
    for_seconds=120,
)
FAILED = frozenset({"FAILURE", "UNSTABLE"})


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a time with one incident; ``delay`` is None where it was missed."""

    false: int
    delay: timedelta | None


def main() -> None:
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    seeds, days = int(given.get("SEEDS", "6")), int(given.get("DAYS", "90"))
    sys.stdout.write(f"{simulated(range(seeds), days)}\n\n{real()}\n")


def simulated(seeds: Iterable[int], days: int) -> str:
    """A row for each number of deployments per hour: false pages, caught, delay in minutes."""
    lines = [f"| Deployments per hour | {' | '.join(GUARDS)} |", "| --- " * (len(GUARDS) + 1) + "|"]
    for per_hour in PER_HOUR:
        runs = [Run.drawn(per_hour, days, seed) for seed in seeds]
        cells = [_told([run.pages(guard) for run in runs]) for guard in GUARDS.values()]
        lines.append(f"| {per_hour} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _told(found: list[Pages]) -> str:
    delays = [each.delay / MINUTE for each in found if each.delay is not None]
    delay = f"{median(delays):.0f}" if delays else "none"
    return f"{sum(each.false for each in found) / len(found):.0f} / {len(delays)} / {delay}"


@dataclass(frozen=True, slots=True)
class Run:
    """Deployments by the minute, and when more of them fail than usual."""

    plan: Plan
    answer: Answer
    incident: Range

    @classmethod
    def drawn(cls, per_hour: float, days: int, seed: int) -> Run:
        """Draws independent deployments, each of which fails by chance."""
        chance = random.Random(f"{per_hour} {seed}")
        at = START + DAY + chance.random() * (days - 2) * DAY
        incident = Range(at, at + INCIDENT_LENGTH)
        counts: dict[datetime, tuple[int, int]] = {}
        for number in range(days * 1_440):
            minute = START + number * MINUTE
            finished = poisson_number(chance, per_hour / 60)
            rate = INCIDENT if incident.start <= minute < incident.end else USUAL
            counts[minute] = finished, sum(chance.random() < rate for _ in range(finished))
        plan, answer = played_by(RULE, counts, MINUTE)
        return cls(plan, answer, incident)

    def pages(self, guard: Guard) -> Pages:
        """The pages with a guard: those outside the incident, and when it was noticed."""
        found = replay(replace(self.plan, watch=replace(RULE, guard=guard)), [self.answer])
        fired = [firing.fired_at for firing in found.firings if firing.is_told]
        inside = [at for at in fired if self.incident.start <= at < self.incident.end]
        first = inside[0] - self.incident.start if inside else None
        return Pages(len(fired) - len(inside), first)


def played_by(
    watch: Watch, counts: Mapping[datetime, tuple[int, int]], step: timedelta
) -> tuple[Plan, Answer]:
    """A plan with a look at the end of each step, and the answer of those that end or fail then."""
    fact = "deployment"
    at, size = positions(FACTS[fact]), len(FACTS[fact].components)
    empty, cells, buckets = zero(fact), list[Components](), list[Bucket]()
    for start, (finished, failed) in counts.items():
        values = [0] * size
        values[at["finishes"]], values[at["finishes_failed"]] = finished, failed
        cells.append(Components(tuple(values)) if finished else empty)
        buckets.append(Bucket(start, start + step, open=False, days=step / DAY))
    span = Range(buckets[0].start, buckets[-1].end)
    answer = Answer(
        tuple(buckets), {(): tuple(cells)}, {}, empty, empty, span.length / DAY,
        span.end, Source.ROLLUP, complete=True, approximate=False,
    )  # fmt: skip
    question = Slice(fact, Scope.everything(), Filter(), span)
    looks = tuple(bucket.end for bucket in buckets if bucket.start >= span.start + HOUR - step)
    return Plan(watch, looks, step, (question,), ()), answer


def real() -> str:
    """A row for each project: what the literal and the guarded rule make of its real builds."""
    lines = [
        "| Builds of | number | failed | literal: pages | firing | guarded: pages | firing |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, of_project in by_name(builds()).items():
        failed = sum(build.what in FAILED for build in of_project)
        plan, answer = _by_hour(of_project)
        told = [
            _pages(replay(replace(plan, watch=replace(RULE, guard=guard)), [answer]))
            for guard in (LITERAL, SIGNIFICANT)
        ]
        share = f"{failed / len(of_project):.0%}".replace("%", " %")
        lines.append(f"| {name} | {len(of_project):,} | {share} | {' | '.join(told)} |")
    return "\n".join(lines)


def _pages(found: BackTest) -> str:
    return f"{found.pages:,} | {found.firing / HOUR:,.0f} h"


def _by_hour(of_project: list[Happened]) -> tuple[Plan, Answer]:
    counts: dict[datetime, list[int]] = {}
    hour = full_hour(of_project[0].at)
    while hour <= of_project[-1].at:
        counts[hour] = [0, 0]
        hour += HOUR
    for build in of_project:
        cell = counts[full_hour(build.at)]
        cell[0] += 1
        cell[1] += build.what in FAILED
    return played_by(RULE, {hour: (n, bad) for hour, (n, bad) in counts.items()}, HOUR)


if __name__ == "__main__":
    main()
