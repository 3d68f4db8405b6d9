"""Measures errors: intake over HTTP, a flood of one error, disk, lists, figures and searches."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, takewhile
from random import Random

import asyncpg

from benchmarks.asking import CACHES_OFF, Asked, Asker, asked
from benchmarks.client import Client, wait_until_ready
from benchmarks.effort import Effort
from benchmarks.ingest import (
    BATCH_CONNECTIONS,
    EVENTS_PER_BATCH,
    WARM_UP_SECONDS,
    Measured,
    Rate,
    batches,
    post,
)
from benchmarks.measure import Times, memory_mb, timed
from benchmarks.occurrences import KEY, Sender, provision, title_end
from benchmarks.population import PROJECT_SLUGS
from benchmarks.questions import Draws, Question, Variables
from benchmarks.schedule import Schedule
from benchmarks.seed_errors import COMMON_NAME, ERRORS, names_of, seed_bodies
from benchmarks.stage import Stage

ENVELOPE_CONNECTIONS = 16
OTHERS_CONNECTIONS, OTHERS_PER_SECOND = 16, 20.0
FLOODING = 1_000  # an error that only the flood has

_LIST = """
query Errors($filter: ErrorFilter, $range: TimeRange, $search: String) {
  errors(filter: $filter, range: $range, search: $search, first: 50) {
    edges { node { id title errorType culprit severity status firstSeen lastSeen occurrences } }
  }
}"""

_STATS = """
query ErrorFigures($filter: ErrorFilter, $range: TimeRange) {
  errorStats(filter: $filter, range: $range) {
    occurrences
    series(interval: DAY) { start occurrences }
    byErrorType(first: 10) { name occurrences }
    bySeverity { name occurrences }
  }
}"""


def _of_project(draws: Draws) -> Variables:
    return {"filter": {"projects": [draws.project()]}, "range": draws.range(20)}


def _searched(draws: Draws) -> Variables:
    """The functions of one error, in all projects."""
    return {"search": " ".join(names_of(draws.pick(*range(ERRORS))))}


def _common(draws: Draws) -> Variables:
    """A function that is in every body."""
    return {"search": COMMON_NAME, "range": draws.range(20)}


QUESTIONS = (
    Question("the 50 newest errors of a project", _LIST, _of_project),
    Question("figures of a project's errors", _STATS, _of_project),
)
SEARCHES = (
    Question("a search for the functions of one error", _LIST, _searched),
    Question("a search for a function in every body", _LIST, _common),
)


@dataclass(frozen=True, slots=True)
class Flood:
    """Occurrences of one error, those counted of it and the bytes of its bodies; and the latency of
    single events of another project meanwhile, in milliseconds."""

    taken_in: Measured
    sent: int
    counted: int
    bodies: int
    body_bytes: int
    others: Rate


@dataclass(frozen=True, slots=True)
class Errors:
    """The figures of errors; bytes are those on disk with all indexes."""

    full: Measured
    envelopes: Rate
    occurrence_bytes: float
    body_bytes: float
    memory_mb: float
    flood: Flood
    read: list[tuple[Question, Times]]
    searched: list[tuple[Question, Times]]


async def errors(stage: Stage, effort: Effort, flooded: int) -> Errors:
    """Takes in occurrences, then so many of one error; asks; then seeds and searches as many
    bodies."""
    await provision(stage.url)
    before = await _sizes(stage)
    with asked(stage) as gateway:
        await wait_until_ready(gateway.port)
        senders = [Sender(Random(n)).batches() for n in range(BATCH_CONNECTIONS)]
        await post(gateway, senders, Schedule(WARM_UP_SECONDS, None))
        full = await post(gateway, senders, Schedule(effort.ingest_seconds, None))
        print(f"errors: {full.rate.per_second:,.0f} occurrences/s", flush=True)
        envelopes = await _post_envelopes(gateway, effort.ingest_seconds / 2)
        print(f"errors: {envelopes.per_second:,.0f} envelopes/s", flush=True)
        rows, bodies = (
            (after[1] - start[1]) / (after[0] - start[0])
            for start, after in zip(before, await _sizes(stage), strict=True)
        )
        taken_mb = memory_mb(gateway.child.pid)
        flood = await _flood(gateway, flooded)
        print(f"errors: flood of {flood.sent:,}, {flood.counted:,} counted", flush=True)
    await seed_bodies(stage.url, flooded, stage.now)
    with asked(stage, **CACHES_OFF) as gateway:
        asker = await gateway.connect()
        read = [(each, await _times(asker, each, effort.rounds)) for each in QUESTIONS]
        searched = [(each, await _times(asker, each, effort.rounds)) for each in SEARCHES]
        await asker.close()
    return Errors(full, envelopes, rows, bodies, taken_mb, flood, read, searched)


async def _times(asker: Asker, question: Question, rounds: int) -> Times:
    drawn = islice(question.asked("errors", asker.gateway.stage.now), rounds)
    times = Times([await timed(asker.ask(question, variables)) for variables in drawn])
    print(f"errors: {question.name}: {times.median_ms:.1f} ms", flush=True)
    return times


async def _post_envelopes(gateway: Asked, seconds: float) -> Rate:
    """Posts envelopes with one event each, as SDKs do."""
    schedule = Schedule(seconds, None)

    async def send(envelopes: Iterator[bytes]) -> list[float]:
        client, latencies_ms = await Client.connect(gateway.port), []
        for body in envelopes:
            if (due := await schedule.due()) is None:
                break
            answer = await client.post(f"/api/1/envelope/?sentry_key={KEY}", body, {})
            latencies_ms.append(1_000 * schedule.since(due))
            if answer.status != 200:
                raise RuntimeError(f"not accepted: {answer.status} {answer.body[:300]!r}")
        await client.close()
        return latencies_ms

    senders = [Sender(Random(f"envelope {n}")).envelopes() for n in range(ENVELOPE_CONNECTIONS)]
    sent = await asyncio.gather(*map(send, senders))
    latencies_ms = [each for some in sent for each in some]
    return Rate(len(latencies_ms), schedule.since(schedule.began), latencies_ms)


async def _flood(gateway: Asked, number: int) -> Flood:
    """Sends so many occurrences of one error, and single events of other projects meanwhile."""
    sender = Sender(Random("flood"), PROJECT_SLUGS[0], [FLOODING])
    requests = islice(sender.batches(), number // EVENTS_PER_BATCH)
    flood = asyncio.create_task(
        post(gateway, [requests] * BATCH_CONNECTIONS, Schedule(float("inf"), None))
    )
    singles = takewhile(lambda _: not flood.done(), batches(1, 1)[0])
    senders = [singles] * OTHERS_CONNECTIONS
    others = await post(gateway, senders, Schedule(float("inf"), OTHERS_PER_SECOND), 1)
    return Flood(await flood, number, *await _counted(gateway.stage.url), others.rate)


async def _counted(url: str) -> tuple[int, int, int]:
    connection = await asyncpg.connect(url)
    row = await connection.fetchrow(_FLOODED, f"%{title_end(FLOODING)}")
    await connection.close()
    return row["occurrences"], row["bodies"], row["bytes"]


async def _sizes(stage: Stage) -> list[tuple[int, int]]:
    """Rows and bytes of the occurrences, and of the bodies."""
    connection = await asyncpg.connect(stage.url)
    found = [
        tuple(await connection.fetchrow(_SIZE.format(table=table)))
        for table in ("error_occurrences", "error_bodies")
    ]
    await connection.close()
    return found


_SIZE = """
select (select count(*) from {table}), sum(pg_total_relation_size(inhrelid))::bigint
from pg_inherits where inhparent = '{table}'::regclass
"""

_FLOODED = """
select occurrences, count(*) as bodies,
  sum(pg_column_size(body) + pg_column_size(search)) as bytes
from error_fingerprints join error_bodies using (project_id, fingerprint_id)
where title like $1 group by project_id, fingerprint_id, occurrences
"""
