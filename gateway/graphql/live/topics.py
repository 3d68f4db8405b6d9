"""Topics: subscriptions that are computed once for all their followers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from math import inf
from typing import Protocol

import structlog

from gateway.graphql.live.followers import FanOut, Follower, Message, Stopping
from gateway.http.errors import MASK
from storage.errors import GatewayError, LimitExceeded, Unavailable

log = structlog.get_logger(component="live")

# A follower has a second to read a message: its connection is checked this often meanwhile. A busy
# process checks later, so that no follower is cut off because the gateway itself is slow.
MAX_CHECKS = 20
CHECK_SECONDS = 0.05
# New followers get the last state if it is at most this old: open ranges move with time, and some
# selected fields change without an event.
FRESH_SECONDS = 1.0
# Each topic of a viewer or service token is computed anew at each change.
MAX_TOPICS = 200


class MessageSource(Protocol):
    """The source of a topic's messages."""

    def messages(self) -> AsyncIterator[Message]: ...

    def send_again(self) -> None:
        """Makes it send its state again, though nothing has changed."""


class Topic:
    """Runs while it has followers. A new one gets the state first, then every message."""

    def __init__(self, source: MessageSource, fan_out: FanOut, on_end: Callable[[], None]) -> None:
        self._source = source
        self._fan_out = fan_out
        self._on_end = on_end
        self._followers: set[Follower] = set()
        self._newcomers: set[Follower] = set()  # the followers that have no message yet
        # The first message for a new follower: the last state, or the first change.
        self._beginning: Message | None = None
        self._fresh_until = 0.0
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> Follower:
        follower = Follower(self._fan_out)
        self._followers.add(follower)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="topic")
        if self._beginning is None:
            self._newcomers.add(follower)
        elif asyncio.get_running_loop().time() <= self._fresh_until:
            follower.offer(self._beginning)
        else:
            self._newcomers.add(follower)
            self._source.send_again()
        return follower

    def leave(self, follower: Follower) -> None:
        """Removes a follower; without any the topic ends."""
        follower.leave()
        self._followers.discard(follower)
        self._newcomers.discard(follower)
        if not self._followers and self._task is not None:
            self._task.cancel()
            self._on_end()

    def end(self) -> None:
        for follower in list(self._followers):
            follower.end(Stopping())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        reason: GatewayError | None = None
        try:
            async for message in self._source.messages():
                self._send(message)
                await self._wait_for_room()
        except GatewayError as error:
            reason = error
        except Exception as error:
            log.error("subscription_crashed", exc_info=error)
            reason = GatewayError(MASK)
        self._on_end()
        for follower in list(self._followers):
            follower.end(reason)

    def _send(self, message: Message) -> None:
        known = self._beginning
        # Where the change is in none of the selected fields, only new followers need the message.
        is_known = message.is_state and known is not None and message.body == known.body
        receivers = self._newcomers if is_known else self._followers
        if message.is_state:
            self._beginning = message
            self._fresh_until = asyncio.get_running_loop().time() + FRESH_SECONDS
        elif known is None:
            self._beginning, self._fresh_until = message, inf
        for follower in list(receivers):
            follower.offer(message)
        self._newcomers.clear()

    async def _wait_for_room(self) -> None:
        """Returns when each follower has room in its queue; cuts off those that do not read.

        Meanwhile the source is not read, so several changes become one message.
        """
        await asyncio.sleep(0)
        if all(follower.fullness < 1 for follower in self._followers):
            return
        checks = Counter[Follower]()
        while full := [one for one in self._concerned() if one.fullness > 0.5]:
            for follower in full:
                checks[follower] += follower.is_sending
                if checks[follower] > MAX_CHECKS:
                    follower.cut_off()
            await asyncio.sleep(CHECK_SECONDS)

    def _concerned(self) -> set[Follower]:
        """The topic's followers, or all of the process when its queue memory is full."""
        return self._fan_out.followers if self._fan_out.is_full else self._followers


class Topics:
    """The topics of a process, by the question they answer."""

    def __init__(
        self,
        on_count: Callable[[int], None] = lambda _count: None,
        fan_out: FanOut | None = None,
    ) -> None:
        self.fan_out = fan_out or FanOut()
        self._topics: dict[str, Topic] = {}
        self._begun = Counter[str]()
        self._stopping = False
        self._on_count = on_count

    def topic(self, key: str, source: MessageSource, owner: str) -> Topic:
        """The running topic with this key, or a new one, which counts towards its owner's limit."""
        topic = self._topics.get(key)
        if topic is None:
            if self._stopping:
                raise Unavailable("The gateway stops: ask again.", retry_after_seconds=1.0)
            if self._begun[owner] >= MAX_TOPICS:
                raise LimitExceeded(
                    f"At most {MAX_TOPICS} different subscriptions are computed for one viewer "
                    "at once.",
                    limit="subscriptions",
                )
            topic = Topic(source, self.fan_out, on_end=lambda: self._forget(key, topic, owner))
            self._topics[key] = topic
            self._begun[owner] += 1
            self._on_count(len(self._topics))
        return topic

    def end_all(self) -> None:
        """Ends all subscriptions: a process that stops would wait for them."""
        self._stopping = True
        for topic in self._topics.values():
            topic.end()

    async def stop(self) -> None:
        for topic in list(self._topics.values()):
            await topic.stop()

    def _forget(self, name: str, topic: Topic | None, owner: str) -> None:
        if topic is not None and self._topics.get(name) is topic:
            del self._topics[name]
            self._begun[owner] -= 1
            if not self._begun[owner]:
                del self._begun[owner]
            self._on_count(len(self._topics))
