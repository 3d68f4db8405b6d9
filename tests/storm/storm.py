"""Senders and askers against one or more gateways over the same data."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from tests.ingest.stories import Event
from tests.storm.ledger import Ledger, Sent
from tests.storm.questions import Question, made_up

SENDERS = 2
ASKERS = 6
BATCH = 15
# The last questions come again, so that parts of them are kept while others are not.
REMEMBERED = 6
# How long a gateway may be away while it is killed and started again.
PATIENCE_SECONDS = 120.0
MAX_FAULTS = 10


@dataclass
class Outcome:
    """What the askers have seen."""

    answers: int = 0
    hits: int = 0
    failures: int = 0
    events: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass
class Storm:
    """Goes on until `is_over`; `tolerant` where gateways are killed meanwhile."""

    addresses: Sequence[str]
    headers: dict[str, str]
    ledger: Ledger
    is_over: Callable[[Outcome], bool]
    tolerant: bool = False
    outcome: Outcome = field(default_factory=Outcome)

    async def run(self) -> Outcome:
        async with httpx.AsyncClient(headers=self.headers, timeout=30) as client:
            senders = [self._send(client, number) for number in range(SENDERS)]
            askers = [self._ask_on(client, number) for number in range(ASKERS)]
            await asyncio.gather(*senders, *askers)
        return self.outcome

    def _goes_on(self) -> bool:
        return len(self.outcome.faults) < MAX_FAULTS and not self.is_over(self.outcome)

    async def _send(self, client: httpx.AsyncClient, number: int) -> None:
        while self._goes_on():
            events, sent = self.ledger.batch(BATCH)
            await self._post(client, number, events, sent)
            self.outcome.events += len(events)

    async def _post(
        self, client: httpx.AsyncClient, number: int, events: list[Event], sent: list[Sent]
    ) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            answer = await self._request(client, number, "/v1/events", events)
            if answer is not None and answer.status_code == 200:
                states = {result["status"] for result in answer.json()["results"]}
                assert states <= {"accepted", "duplicate"}, answer.text[:300]
                self.ledger.acknowledged(sent)
                return
            await asyncio.sleep(0.1)
        raise AssertionError("a batch was never acknowledged")

    async def _ask_on(self, client: httpx.AsyncClient, number: int) -> None:
        chance = random.Random(1000 * self.ledger.seed + number)
        recent: list[Question] = []
        while self._goes_on():
            if recent and chance.random() < 0.6:
                question = chance.choice(recent)
            else:
                question = made_up(chance, self.ledger.projects, self.ledger.today)
                recent = [*recent[1 - REMEMBERED :], question]
            await self._ask(client, chance.randrange(len(self.addresses)), question)

    async def _ask(self, client: httpx.AsyncClient, number: int, question: Question) -> None:
        answer = await self._request(client, number, "/graphql", {"query": question.document()})
        answered_at = time.time()
        body = {} if answer is None else answer.json()
        if answer is None or body.get("errors"):
            self.outcome.failures += 1
            assert self.tolerant, body
            return
        self.outcome.answers += 1
        self.outcome.hits += "hit" in answer.headers.get("cache-status", "")
        for fault in question.faults(body["data"], self.ledger, answered_at):
            self.outcome.faults.append(f"{fault}\n{question.document()}")

    async def _request(
        self, client: httpx.AsyncClient, number: int, path: str, body: object
    ) -> httpx.Response | None:
        """The answer; None where the gateway was away and may be."""
        try:
            address = self.addresses[number % len(self.addresses)]
            answer = await client.post(f"{address}{path}", json=body)
        except httpx.TransportError:
            assert self.tolerant
            return None
        if answer.status_code in (502, 503, 504):
            assert self.tolerant, answer.text[:300]
            return None
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text[:300]}"
        return answer
