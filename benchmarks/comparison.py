"""Sends the six questions to the gateway and to PostGraphile over the same tables, in turn."""

import asyncio
from dataclasses import dataclass
from itertools import islice

import asyncpg
import orjson

from benchmarks.asking import LOAD_REQUESTS, Asked, Asker, Speed, asked
from benchmarks.client import Client
from benchmarks.effort import Effort
from benchmarks.load import Request
from benchmarks.measure import WARM_UP_ROUNDS, Times, in_turn
from benchmarks.npm import install
from benchmarks.peer_questions import PEER_QUESTIONS, Data, PeerQuestion
from benchmarks.postgraphile import FOLDER, postgraphile, prepare
from benchmarks.questions import Variables
from benchmarks.stage import Stage

_HEADERS = {"Content-Type": "application/json"}
_START_ATTEMPTS = 300


@dataclass(frozen=True, slots=True)
class Compared:
    """The times of one uncached question with default settings: in turn, then under load."""

    asked: PeerQuestion
    ours: Times
    theirs: Times
    our_load: Speed
    their_load: Speed

    @property
    def ratio(self) -> float:
        """PostGraphile's median divided by ours."""
        return self.theirs.median_ms / self.ours.median_ms


async def compare(stage: Stage, effort: Effort) -> list[Compared]:
    """Measures both sides; their answers must equal ours, and ours must not come from a cache."""
    install(FOLDER)
    await prepare(stage.url)
    ids = await _project_ids(stage.url)
    results = []
    with asked(stage) as gateway, postgraphile(stage) as started:
        peer = Asked(stage, *started)
        asker, client = await gateway.connect(), await _connect(peer.port)
        for each in PEER_QUESTIONS:
            pair = _Pair(each, asker, client, ids)
            result = await pair.compare(peer, effort)
            print(f"peers: {each.question.name}: {result.ratio:.2f}", flush=True)
            results.append(result)
        await asker.close()
        await client.close()
    return results


async def _project_ids(url: str) -> dict[str, int]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("select slug, project_id from projects")
    await connection.close()
    return dict(rows)


async def _connect(port: int) -> Client:
    """Returns a connection to PostGraphile once it responds."""
    body = b'{"query": "{ __typename }"}'
    for _ in range(_START_ATTEMPTS):
        try:
            client = await Client.connect(port)
            await client.post("/graphql", body, _HEADERS)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            return client
    raise TimeoutError("PostGraphile does not answer; its log may say why")


@dataclass(frozen=True, slots=True)
class _Pair:
    """Sends one question to both sides."""

    asked: PeerQuestion
    asker: Asker
    client: Client
    ids: dict[str, int]

    async def compare(self, peer: Asked, effort: Effort) -> Compared:
        stage, question = self.asker.gateway.stage, self.asked.question
        drawn = list(islice(question.asked("peers", stage.now), effort.rounds + WARM_UP_ROUNDS))
        ours: list[Data] = [None] * len(drawn)
        theirs: list[Data] = [None] * len(drawn)

        async def ask_us(number: int) -> None:
            answer = await self.asker.ask(question, drawn[number])
            ours[number] = answer.body

        async def ask_them(number: int) -> None:
            answer = await self.client.post("/graphql", self._body(drawn[number]), _HEADERS)
            theirs[number] = answer.body

        times = await in_turn(effort.rounds, ask_us, ask_them)
        for variables, own, other in zip(drawn, ours, theirs, strict=True):
            self._check(variables, own, other)
        loaded = islice(question.asked("peers under load", stage.now), LOAD_REQUESTS)
        requests = [Request(self._body(variables), _HEADERS) for variables in loaded]
        return Compared(
            self.asked,
            *times,
            await self.asker.gateway.load_question(question, effort.load_seconds),
            await peer.load(requests, effort.load_seconds),
        )

    def _body(self, variables: Variables) -> bytes:
        translated = self.asked.translate(variables, self.ids)
        return orjson.dumps({"query": self.asked.document, "variables": translated})

    def _check(self, variables: Variables, ours: bytes, theirs: bytes) -> None:
        own, other = orjson.loads(ours), orjson.loads(theirs)
        if "errors" in other:
            raise RuntimeError(f"PostGraphile: {self.asked.question.name}: {theirs[:500]!r}")
        said, heard = self.asked.ours(own["data"]), self.asked.theirs(other["data"])
        if not said.agree_with(heard):
            raise RuntimeError(f"{self.asked.question.name} {variables}: {said} and {heard}")
