"""Followers of topics, and the answers that wait for them in bounded memory."""

import asyncio
from collections import deque
from dataclasses import dataclass

from gateway.graphql.documents.documents import BadDocument
from storage.errors import GatewayError

# Of one follower; whoever is no further behind loses nothing.
ANSWERS_AT_MOST = 1_000
BYTES_AT_MOST = 1_000_000
PROCESS_BYTES_AT_MOST = 64_000_000
# So many send at once: then requests have their turn, however many wait to be told something.
TURNS = 50


@dataclass(slots=True, eq=False)
class Answer:
    """An encoded answer; a state says all there is, a change only what is new."""

    body: bytes
    is_state: bool
    followers: int = 0  # for whom it waits


@dataclass(frozen=True, slots=True)
class Ended:
    """Why nothing more comes; without an error the subscription is complete."""

    error: BadDocument | GatewayError | None = None
    too_slow: bool = False
    stopping: bool = False  # the gateway stops: whoever comes again follows another one


class Shared:
    """What the followers of a process share: memory for what waits, and turns to send it."""

    def __init__(self, bytes_at_most: int = PROCESS_BYTES_AT_MOST) -> None:
        self._bytes_at_most = bytes_at_most
        self.waiting_bytes = 0  # an answer that waits for many counts once
        self.followers: set[Follower] = set()
        self.turns = asyncio.Semaphore(TURNS)

    @property
    def is_full(self) -> bool:
        return self.waiting_bytes >= self._bytes_at_most

    def hold(self, answer: Answer) -> None:
        if answer.followers == 0:
            self.waiting_bytes += len(answer.body)
        answer.followers += 1

    def release(self, answer: Answer) -> None:
        answer.followers -= 1
        if answer.followers == 0:
            self.waiting_bytes -= len(answer.body)


class Follower:
    """One reader of a topic: its connection takes an answer, sends it, and takes the next one."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._answers: deque[Answer] = deque()
        self._bytes = 0
        self._ended: Ended | None = None
        self._news = asyncio.Event()
        self.is_sending = False  # it took an answer and has not come back for the next one
        shared.followers.add(self)

    @property
    def fullness(self) -> float:
        """How much of its room is taken: 1.0 is all. In a full process nothing may wait."""
        waiting = len(self._answers)
        if self._shared.is_full:
            return float(waiting > 0)
        if waiting <= 1:  # however large it is, there is no other way to tell it
            return 0.0
        return max(waiting / ANSWERS_AT_MOST, self._bytes / BYTES_AT_MOST)

    def offer(self, answer: Answer) -> None:
        if self._ended is not None:
            return
        if answer.is_state:
            self._drop()  # an older state is of no use any more
        self._shared.hold(answer)
        self._answers.append(answer)
        self._bytes += len(answer.body)
        self._news.set()

    def end(self, ended: Ended) -> None:
        """Nothing comes after the answers that wait."""
        if self._ended is None:
            self._ended = ended
            self._news.set()

    def cut_off(self) -> None:
        self._drop()
        self.end(Ended(too_slow=True))

    def leave(self) -> None:
        self._drop()
        self._shared.followers.discard(self)

    async def next(self) -> bytes | Ended:
        """Wait for the next answer; the one before it has been sent."""
        self.is_sending = False
        while True:
            async with self._shared.turns:
                await asyncio.sleep(0)
            if self._answers:
                self.is_sending = True
                return self._take().body
            if self._ended is not None:
                return self._ended
            self._news.clear()
            await self._news.wait()

    def _take(self) -> Answer:
        answer = self._answers.popleft()
        self._bytes -= len(answer.body)
        self._shared.release(answer)
        return answer

    def _drop(self) -> None:
        while self._answers:
            self._take()
