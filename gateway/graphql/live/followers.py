"""Followers of topics, and their queues of messages in bounded memory."""

import asyncio
from collections import deque
from dataclasses import dataclass

from storage.errors import GatewayError

# A follower whose queue stays below these loses no message.
MAX_MESSAGES = 1_000
MAX_BYTES = 1_000_000
MAX_PROCESS_BYTES = 64_000_000
# Followers that send in one turn of the event loop; then requests get their turn.
TURNS = 50


@dataclass(slots=True, eq=False)
class Message:
    """An encoded answer: a full state, or only what has changed."""

    body: bytes
    is_state: bool
    followers: int = 0  # how many queues hold it


class Interrupted(Exception):  # noqa: N818 - the end of a subscription, not a fault
    """Ends a subscription that is not complete."""


class TooSlow(Interrupted):
    """The client did not read its messages."""


class Stopping(Interrupted):
    """The gateway stops: clients must connect to another process."""


class FanOut:
    """The resources that all followers of a process share: queue memory and turns to send."""

    def __init__(self, max_bytes: int = MAX_PROCESS_BYTES) -> None:
        self._max_bytes = max_bytes
        self.waiting_bytes = 0  # a message in many queues counts once
        self.followers: set[Follower] = set()
        self.turns = asyncio.Semaphore(TURNS)

    @property
    def is_full(self) -> bool:
        return self.waiting_bytes >= self._max_bytes

    def hold(self, message: Message) -> None:
        if message.followers == 0:
            self.waiting_bytes += len(message.body)
        message.followers += 1

    def release(self, message: Message) -> None:
        message.followers -= 1
        if message.followers == 0:
            self.waiting_bytes -= len(message.body)


class Follower:
    """One reader of a topic, with its queue. Its connection takes a message and sends it."""

    def __init__(self, fan_out: FanOut) -> None:
        self._fan_out = fan_out
        self._queue: deque[Message] = deque()
        self._bytes = 0
        self._has_ended = False
        self._reason: GatewayError | Interrupted | None = None
        self._news = asyncio.Event()
        self.is_sending = False  # it took a message and has not come back for the next one
        fan_out.followers.add(self)

    @property
    def fullness(self) -> float:
        """How full the queue is; 1.0 is full. If process memory is full, one message fills it."""
        waiting = len(self._queue)
        if self._fan_out.is_full:
            return float(waiting > 0)
        if waiting <= 1:  # however large, it must be sent
            return 0.0
        return max(waiting / MAX_MESSAGES, self._bytes / MAX_BYTES)

    def offer(self, message: Message) -> None:
        if self._has_ended:
            return
        if message.is_state:
            self._drop()  # a newer state replaces the older ones
        self._fan_out.hold(message)
        self._queue.append(message)
        self._bytes += len(message.body)
        self._news.set()

    def end(self, reason: GatewayError | Interrupted | None) -> None:
        """Ends the subscription after the queued messages; without a reason it is complete."""
        if not self._has_ended:
            self._has_ended, self._reason = True, reason
            self._news.set()

    def cut_off(self) -> None:
        self._drop()
        self.end(TooSlow())

    def leave(self) -> None:
        self._drop()
        self._fan_out.followers.discard(self)

    async def next(self) -> bytes | None:
        """Waits for the next message; a call means that the previous one was sent.

        Returns None where the subscription is complete, and raises the reason where it was ended.
        """
        self.is_sending = False
        while True:
            async with self._fan_out.turns:
                await asyncio.sleep(0)
            if self._queue:
                self.is_sending = True
                return self._take().body
            if self._reason is not None:
                raise self._reason
            if self._has_ended:
                return None
            self._news.clear()
            await self._news.wait()

    def _take(self) -> Message:
        message = self._queue.popleft()
        self._bytes -= len(message.body)
        self._fan_out.release(message)
        return message

    def _drop(self) -> None:
        while self._queue:
            self._take()
