"""Questions about a project that receives a thousand events a second, some of them late."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import orjson

from benchmarks.asking import CONNECTIONS, Asked, Speed, asked
from benchmarks.client import Client, Response, wait_until_ready
from benchmarks.effort import Effort
from benchmarks.ingest import deployment
from benchmarks.load import Request
from benchmarks.measure import percentile
from benchmarks.metrics import Counters, counters
from benchmarks.population import PROJECT_SLUGS
from benchmarks.questions import Draws, Variables
from benchmarks.schedule import Schedule
from benchmarks.shared import VIEWERS
from benchmarks.stage import Stage, headers_of

RANK = 1
EVENTS_PER_SECOND = 1_000
LATE_PART = 0.02
LATE_AT_MOST = timedelta(days=2)
BATCHES_PER_SECOND = 20
SENDERS = 4
# Each of these ranges is asked about every half second, by another viewer each time.
RANGES = 50
REQUESTS_PER_SECOND = 100.0
SETTLING_SECONDS = 1.0

_DOCUMENT = """
query Busy($project: String!, $range: TimeRange) {
  deploymentStats(filter: {projects: [$project]}, range: $range) {
    attempts succeeded failed successRate averageDurationMs
    series(interval: DAY) { start attempts failed }
    freshness { asOf }
  }
}"""

# The gateway's counters of cache hits: whole responses, then the aggregates of the others.
_WHOLE, _PARTS = "gateway_response_cache_lookups_total", "gateway_cache_lookups_total"


@dataclass(frozen=True, slots=True)
class Asking:
    """Results for ranges of one kind: the share of cache hits, the latencies, and the ages of the
    answers."""

    hit_rate: float
    latencies_ms: list[float]
    ages_seconds: list[float]

    @property
    def p95_ms(self) -> float:
        return percentile(self.latencies_ms, 0.95)

    @property
    def oldest_seconds(self) -> float:
        return max(self.ages_seconds)


@dataclass(frozen=True, slots=True)
class Busy:
    """The rate of events, and the results of questions meanwhile: about days without new events,
    about closed ranges with late events, about ranges that have not ended; and the speed of one
    closed range, asked by all viewers as fast as they can."""

    events_per_second: float
    untouched: Asking
    touched: Asking
    running: Asking
    speed: Speed


async def busy(stage: Stage, effort: Effort) -> Busy:
    """Sends the events to a second gateway, so that the first one only answers questions."""
    with asked(stage) as gateway, asked(stage) as taking_in:
        for each in (gateway, taking_in):
            await wait_until_ready(each.port)
        async with _Intake.running(taking_in) as intake:
            asker = _Asker(gateway, effort.busy_seconds)
            past = timedelta(days=1) + LATE_AT_MOST
            untouched = await asker.ask(lambda draws: draws.range_that_ended(past))
            touched = await asker.ask(
                lambda draws: draws.range_that_ended(timedelta(minutes=5), LATE_AT_MOST)
            )
            running = await asker.ask(Draws.open_range)
            draws = Draws("busy", stage.now)
            requests = asker.requests(draws.range_that_ended(past))
            speed = await gateway.load(requests, effort.turn_seconds)
            rate = intake.per_second
    result = Busy(rate, untouched, touched, running, speed)
    print(f"busy: {rate:.0f} events/s, hit rate {untouched.hit_rate:.3f}", flush=True)
    return result


class _Asker:
    """Twenty viewers who send questions in turn, at a steady rate."""

    def __init__(self, gateway: Asked, seconds: float) -> None:
        self._gateway, self._seconds = gateway, seconds
        self._viewers = [headers_of(f"viewer-{number}") for number in range(VIEWERS)]

    def requests(self, span: Variables) -> list[Request]:
        """The question about one range, once for each viewer."""
        variables = {"project": PROJECT_SLUGS[RANK - 1], "range": span}
        body = orjson.dumps({"query": _DOCUMENT, "variables": variables})
        return [Request(body, headers) for headers in self._viewers]

    async def ask(self, draw: Callable[[Draws], Variables]) -> Asking:
        """Asks about the ranges; each is asked about once before the measurement starts."""
        draws = Draws("busy", self._gateway.stage.now)
        asked_for = [self.requests(draw(draws)) for _ in range(RANGES)]
        client = await Client.connect(self._gateway.port)
        for requests in asked_for:
            await _post(client, requests[0])
        await client.close()
        before = await counters(self._gateway.port)
        latencies_ms, ages_seconds = await self._ask_at_pace(asked_for)
        rate = hit_rate(before, await counters(self._gateway.port))
        return Asking(rate, latencies_ms, ages_seconds)

    async def _ask_at_pace(self, asked_for: list[list[Request]]) -> tuple[list[float], list[float]]:
        schedule = Schedule(self._seconds, REQUESTS_PER_SECOND)
        numbers, latencies_ms, ages_seconds = count(), list[float](), list[float]()

        async def viewer() -> None:
            client = await Client.connect(self._gateway.port)
            while (due := await schedule.due()) is not None:
                number = next(numbers)
                request = asked_for[number % RANGES][number // RANGES % VIEWERS]
                answer = await _post(client, request)
                latencies_ms.append(1_000 * schedule.since(due))
                ages_seconds.append(_age_seconds(answer))
            await client.close()

        await asyncio.gather(*(viewer() for _ in range(CONNECTIONS)))
        return latencies_ms, ages_seconds


async def _post(client: Client, request: Request) -> Response:
    answer = await client.post("/graphql", request.body, dict(request.headers))
    if answer.status != 200 or b'"errors":[' in answer.body:
        raise RuntimeError(f"not answered: {answer.status} {answer.body[:300]!r}")
    return answer


def _age_seconds(answer: Response) -> float:
    """The age of an answer, by the `asOf` in it."""
    stats = orjson.loads(answer.body)["data"]["deploymentStats"]
    as_of = datetime.fromisoformat(stats["freshness"]["asOf"])
    return (datetime.now(UTC) - as_of).total_seconds()


def hit_rate(before: Counters, after: Counters) -> float:
    """The share of hits in all look-ups; a miss of a whole response is looked up again as its
    aggregates."""

    def counted(name: str, outcome: str) -> float:
        return after.sum(name, outcome=outcome) - before.sum(name, outcome=outcome)

    kept = sum(counted(name, outcome) for name in (_WHOLE, _PARTS) for outcome in ("hit", "stale"))
    return kept / (kept + counted(_PARTS, "miss"))


class _Intake:
    """Sends batches of events to one project at a steady rate."""

    def __init__(self, gateway: Asked) -> None:
        self._gateway = gateway
        self._schedule = Schedule(float("inf"), BATCHES_PER_SECOND)
        self._random = random.Random(RANK)
        self._sent = 0

    @classmethod
    @asynccontextmanager
    async def running(cls, gateway: Asked) -> AsyncIterator["_Intake"]:
        intake = cls(gateway)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(intake._send()) for _ in range(SENDERS)]
            await asyncio.sleep(SETTLING_SECONDS)
            yield intake
            for task in tasks:
                task.cancel()

    @property
    def per_second(self) -> float:
        return self._sent / self._schedule.since(self._schedule.began)

    async def _send(self) -> None:
        client = await Client.connect(self._gateway.port)
        while await self._schedule.due() is not None:
            events = self._events()
            body, headers = orjson.dumps(events), self._gateway.stage.headers
            response = await client.post("/v1/events", body, headers)
            if response.body.count(b'"accepted"') != len(events):
                raise RuntimeError(f"not accepted: {response.status} {response.body[:300]!r}")
            self._sent += len(events)

    def _events(self) -> list[dict[str, object]]:
        """Events of deployments of the last 15 minutes, and of a few of the last two days."""
        events: list[dict[str, object]] = []
        while len(events) < EVENTS_PER_SECOND / BATCHES_PER_SECOND:
            late = self._random.random() < LATE_PART
            oldest = LATE_AT_MOST if late else timedelta(minutes=15)
            age = self._random.random() * oldest
            events += deployment(self._random, RANK, datetime.now(UTC) - age)
        return events
