"""Sends a gateway one question after another, each time with new variables."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from benchmarks.client import Client, Response, wait_until_ready
from benchmarks.load import Request, load
from benchmarks.measure import Usage
from benchmarks.processes import gateway
from benchmarks.questions import Question, Variables
from benchmarks.stage import Stage
from gateway.embedded.processes import Child

CONNECTIONS = 8
# More than any gateway answers while it is measured, so no request is sent twice.
LOAD_REQUESTS = 6_000

CACHES_OFF = {"ANALYTICS_CACHE_TTL": "0"}


@dataclass(frozen=True, slots=True)
class Speed:
    """How many requests were answered, in how many seconds, with how much processor time."""

    answered: int
    seconds: float
    used: Usage

    def __add__(self, other: "Speed") -> "Speed":
        return Speed(
            self.answered + other.answered,
            self.seconds + other.seconds,
            self.used + other.used,
        )

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds

    @property
    def per_cpu_second(self) -> float:
        """Requests per second of the gateway's processor time."""
        return self.answered / self.used.gateway

    def cpu_ms(self, seconds: float) -> float:
        return 1_000 * seconds / self.answered


@dataclass(frozen=True, slots=True)
class Asked:
    """A running gateway and its database."""

    stage: Stage
    child: Child
    port: int

    async def connect(self) -> "Asker":
        await wait_until_ready(self.port)
        return Asker(self, await Client.connect(self.port))

    def usage(self) -> Usage:
        """The processor time that the gateway and the servers behind it have used so far."""
        return self.stage.usage(self.child.pid)

    async def load(self, requests: list[Request], seconds: float) -> Speed:
        before = self.usage()
        done = await load(self.port, requests, connections=CONNECTIONS, seconds=seconds)
        return Speed(done.answered, done.seconds, self.usage() - before)

    async def load_question(self, question: Question, seconds: float) -> Speed:
        """Asks the question over several connections, each time with new variables."""
        drawn = islice(question.asked("load", self.stage.now), LOAD_REQUESTS)
        bodies = [question.body(variables) for variables in drawn]
        return await self.load([Request(body, self.stage.headers) for body in bodies], seconds)


@contextmanager
def asked(stage: Stage, **settings: str) -> Iterator[Asked]:
    with gateway(stage.folder, stage.url, stage.servers.redis.url, **settings) as (child, port):
        yield Asked(stage, child, port)


@dataclass(frozen=True, slots=True)
class Asker:
    """One viewer with one connection."""

    gateway: Asked
    client: Client

    async def ask(self, question: Question, variables: Variables) -> Response:
        """Returns the response to a question that no cache holds."""
        answer = await self.client.post(
            "/graphql", question.body(variables), self.gateway.stage.headers
        )
        if answer.status != 200 or b'"errors":[' in answer.body:
            raise RuntimeError(f"{question.name} {variables}: {answer.body[:500]!r}")
        if "; hit" in answer.headers.get("cache-status", ""):
            raise RuntimeError(f"{question.name} {variables} was not computed anew")
        return answer

    async def close(self) -> None:
        await self.client.close()
