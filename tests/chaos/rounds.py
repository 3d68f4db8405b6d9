"""Kill one process after another while a sender retries until each batch is acknowledged."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from gateway.processes.watch import RESTARTS_MAX, RESTARTS_WINDOW_SECONDS
from tests.chaos.history import History
from tests.ingest.stories import Event
from tests.machine import Run, is_ready

VICTIMS = ("gateway", "worker", "Postgres", "Redis")
BATCH = 100
SENDERS = 3
PATIENCE_SECONDS = 120.0
# Who is killed oftener is taken for broken, and not started again.
ROUND_SECONDS = 1.1 * RESTARTS_WINDOW_SECONDS / RESTARTS_MAX


@dataclass
class Sent:
    """What came back."""

    batches: int = 0
    retries: int = 0
    failure: str | None = None


class Sender(threading.Thread):
    """Posts batches until told to stop; a batch that was not acknowledged goes again, whole."""

    def __init__(self, run: Run, history: History, token: str) -> None:
        super().__init__(daemon=True)
        self._client = httpx.Client(
            base_url=run.address, headers={"Authorization": f"Bearer {token}"}, timeout=20
        )
        self._history = history
        self._stopping = threading.Event()
        self.sent = Sent()

    def run(self) -> None:
        try:
            for batch in self._history.batches(BATCH):
                self._post(batch)
                if self._stopping.is_set():
                    break
            rest = self._history.rest()
            for start in range(0, len(rest), BATCH):
                self._post(rest[start : start + BATCH])
        except AssertionError as error:
            self.sent.failure = str(error)
        finally:
            self._client.close()

    def stop(self) -> Sent:
        self._stopping.set()
        self.join(PATIENCE_SECONDS)
        assert not self.is_alive(), "the sender was never acknowledged"
        assert self.sent.failure is None, self.sent.failure
        return self.sent

    def _post(self, batch: list[Event]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._acknowledged(batch):
            assert time.monotonic() < deadline, "a batch was never acknowledged"
            self.sent.retries += 1
            time.sleep(0.1)
        self.sent.batches += 1

    def _acknowledged(self, batch: list[Event]) -> bool:
        try:
            answer = self._client.post("/v1/events", json=batch)
        except httpx.TransportError:
            return False
        if answer.status_code in (502, 503, 504):
            return False
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text[:300]}"
        states = {result["status"] for result in answer.json()["results"]}
        assert states <= {"accepted", "duplicate"}, answer.text[:300]
        return True


def kill_in_turn(run: Run, senders: Sequence[Sender], rounds: int, seed: int) -> Iterator[str]:
    """Kills each process `rounds` times at a random moment, and waits until all is well again and
    the senders get on."""
    generator = random.Random(seed)
    for number in range(rounds):
        until = time.monotonic() + ROUND_SECONDS
        for victim in VICTIMS:
            run.wait_until(partial(_more_than, senders, _acknowledged(senders)))
            time.sleep(generator.uniform(0.2, 1.2))
            killed = run.children()[victim]
            os.kill(killed, signal.SIGKILL)
            run.wait_until(partial(_is_back, run, victim, killed))
            yield f"round {number + 1}: {victim} killed and back"
        time.sleep(max(0.0, until - time.monotonic()))


def _acknowledged(senders: Sequence[Sender]) -> int:
    """The number of batches."""
    return sum(sender.sent.batches for sender in senders)


def _more_than(senders: Sequence[Sender], batches: int) -> bool:
    """Whether more batches are acknowledged by now; also true if a sender has failed."""
    return _acknowledged(senders) > batches or any(sender.sent.failure for sender in senders)


def _is_back(run: Run, victim: str, killed: int) -> bool:
    return run.children().get(victim, killed) != killed and is_ready(run)


def ask(run: Run, token: str, document: str) -> dict[str, Any]:
    answer = httpx.post(
        f"{run.address}/graphql",
        json={"query": document},
        headers={"Authorization": f"Bearer {token}"},
        timeout=20,
    )
    body: dict[str, Any] = answer.json()
    assert "errors" not in body, body
    data: dict[str, Any] = body["data"]
    return data
