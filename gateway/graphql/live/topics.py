"""Topics: a subscription that runs once, however many follow it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from math import inf
from typing import Protocol

import structlog

from gateway.graphql.documents.documents import BadDocument
from gateway.graphql.live.followers import Answer, Ended, Follower, Shared
from gateway.http.errors import MASK
from storage.errors import GatewayError, LimitExceeded, Unavailable

log = structlog.get_logger(component="live")

# A reader has a second to take what was sent: so often its connection is looked at meanwhile.
# A busy process looks later, so that no reader is cut off for what its gateway cannot send.
LOOKS_AT_MOST = 20
LOOK_SECONDS = 0.05
# A state is told to newcomers for so long: time moves ranges, and not all that is selected tells
# of its changes.
FRESH_SECONDS = 1.0
# Each change has all of them computed, whoever else follows them.
TOPICS_AT_MOST = 200  # begun by one viewer or service token


class Source(Protocol):
    """What a topic is told of."""

    def answers(self) -> AsyncIterator[Answer]: ...

    def ask_again(self) -> None:
        """Have it tell its state once more, though nothing has changed."""


class Topic:
    """Runs while it has followers. A new one is told the state first, then all that follows."""

    def __init__(self, source: Source, shared: Shared, on_end: Callable[[], None]) -> None:
        self._source = source
        self._shared = shared
        self._on_end = on_end
        self._followers: set[Follower] = set()
        self._newcomers: set[Follower] = set()  # those of them who have been told nothing
        # Of states the last one; of changes the first, which says where they begin.
        self._beginning: Answer | None = None
        self._fresh_until = 0.0
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> Follower:
        follower = Follower(self._shared)
        self._followers.add(follower)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="topic")
        if self._beginning is None:
            self._newcomers.add(follower)
        elif asyncio.get_running_loop().time() <= self._fresh_until:
            follower.offer(self._beginning)
        else:
            self._newcomers.add(follower)
            self._source.ask_again()
        return follower

    def leave(self, follower: Follower) -> None:
        """The last one who leaves ends the computation."""
        follower.leave()
        self._followers.discard(follower)
        self._newcomers.discard(follower)
        if not self._followers and self._task is not None:
            self._task.cancel()
            self._on_end()

    def end(self) -> None:
        for follower in list(self._followers):
            follower.end(Ended(stopping=True))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        ended = Ended()
        try:
            async for answer in self._source.answers():
                self._tell(answer)
                await self._wait_for_room()
        except (BadDocument, GatewayError) as error:
            ended = Ended(error)
        except Exception as error:
            log.error("subscription_crashed", exc_info=error)
            ended = Ended(GatewayError(MASK))
        self._on_end()
        for follower in list(self._followers):
            follower.end(ended)

    def _tell(self, answer: Answer) -> None:
        known = self._beginning
        # Where what has changed is not what was asked for, only newcomers need to be told.
        is_known = answer.is_state and known is not None and answer.body == known.body
        told = self._newcomers if is_known else self._followers
        if answer.is_state:
            self._beginning = answer
            self._fresh_until = asyncio.get_running_loop().time() + FRESH_SECONDS
        elif known is None:
            self._beginning, self._fresh_until = answer, inf
        for follower in list(told):
            follower.offer(answer)
        self._newcomers.clear()

    async def _wait_for_room(self) -> None:
        """Return once each follower has room for more; cut off those who do not make any.

        Meanwhile the source is not asked, so what changes again is told once, as it is then.
        """
        await asyncio.sleep(0)
        if all(follower.fullness < 1 for follower in self._followers):
            return
        looks = Counter[Follower]()
        while crowded := [each for each in self._concerned() if each.fullness > 0.5]:
            for follower in crowded:
                looks[follower] += follower.is_sending
                if looks[follower] > LOOKS_AT_MOST:
                    follower.cut_off()
            await asyncio.sleep(LOOK_SECONDS)

    def _concerned(self) -> set[Follower]:
        """In a full process the room is taken by anybody's followers."""
        return self._shared.followers if self._shared.is_full else self._followers


class Topics:
    """The topics of a process, by what they answer."""

    def __init__(
        self,
        on_count: Callable[[int], None] = lambda _count: None,
        shared: Shared | None = None,
    ) -> None:
        self.shared = shared or Shared()
        self._topics: dict[str, Topic] = {}
        self._begun = Counter[str]()
        self._stopping = False
        self._on_count = on_count

    def topic(self, key: str, source: Source, owner: str) -> Topic:
        """The running topic of this key, or a new one, which counts as its owner's."""
        topic = self._topics.get(key)
        if topic is None:
            if self._stopping:
                raise Unavailable("The gateway stops: ask again.", retry_after_seconds=1.0)
            if self._begun[owner] >= TOPICS_AT_MOST:
                raise LimitExceeded(
                    f"At most {TOPICS_AT_MOST} different subscriptions are computed for one viewer "
                    "at once.",
                    limit="subscriptions",
                )
            topic = Topic(source, self.shared, on_end=lambda: self._forget(key, topic, owner))
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
