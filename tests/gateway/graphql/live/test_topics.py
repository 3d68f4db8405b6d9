"""Topics: newcomers are told the state as it is, and nothing is left once nobody follows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.graphql.live import topics as module
from gateway.graphql.live.followers import (
    MAX_BYTES,
    MAX_MESSAGES,
    TURNS,
    FanOut,
    Follower,
    Interrupted,
    Message,
    Stopping,
    TooSlow,
)
from gateway.graphql.live.topics import MAX_TOPICS, Topic, Topics
from storage.errors import LimitExceeded, Unavailable


@dataclass
class Spoken:
    """A source that tells what the test has it tell."""

    is_state: bool = True
    said: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    asked: int = 0
    is_over: bool = False

    async def messages(self) -> AsyncIterator[Message]:
        try:
            while True:
                yield Message(await self.said.get(), self.is_state)
        finally:
            self.is_over = True

    def send_again(self) -> None:
        self.asked += 1

    async def say(self, body: bytes) -> None:
        self.said.put_nowait(body)
        await pause()


class Burst:
    """A source of changes that are numbered, as many at once as the test has it tell."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._wanted: asyncio.Queue[int] = asyncio.Queue()
        self.told = 0

    async def messages(self) -> AsyncIterator[Message]:
        while True:
            number = await self._wanted.get()
            self.told += 1
            yield Message(b"%b%d" % (self._body, number), is_state=False)
            self._wanted.task_done()  # the topic has asked for more

    def send_again(self) -> None:
        raise AssertionError("changes are not told again")

    def tell(self, changes: int) -> None:
        for number in range(changes):
            self._wanted.put_nowait(number)

    async def all_told(self) -> None:
        await self._wanted.join()


async def pause() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def told(follower: Follower) -> list[Any]:
    """The messages that wait for a follower; at the end the kind of interruption, or None."""
    heard: list[Any] = []
    while True:
        taking = asyncio.create_task(follower.next())
        await pause()
        if not taking.done():
            taking.cancel()
            return heard
        try:
            heard.append(taking.result())
        except Interrupted as interrupted:
            return [*heard, type(interrupted)]
        if heard[-1] is None:
            return heard


@pytest.fixture
def stale_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", -1.0)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers are looked at in quick succession."""
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.001)


async def test_newcomer_to_a_fresh_state_is_told_it_without_another_computation() -> None:
    topics, source = Topics(), Spoken()
    topic = topics.topic("key", source, "ada")
    first = topic.follow()
    await source.say(b"1")
    second = topic.follow()
    assert (await told(first), await told(second), source.asked) == ([b"1"], [b"1"], 0)


@pytest.mark.usefixtures("stale_at_once")
async def test_newcomer_to_an_older_state_waits_for_the_one_now() -> None:
    topics, source = Topics(), Spoken()
    topic = topics.topic("key", source, "ada")
    first = topic.follow()
    await source.say(b"1")
    assert await told(first) == [b"1"]
    second, third = topic.follow(), topic.follow()
    assert (await told(second), source.asked) == ([], 2)
    await source.say(b"1")  # nothing has changed meanwhile, which the first one knows
    assert (await told(first), await told(second), await told(third)) == ([], [b"1"], [b"1"])
    await source.say(b"2")
    assert (await told(first), await told(second), await told(third)) == ([b"2"], [b"2"], [b"2"])


@pytest.mark.usefixtures("stale_at_once")
async def test_newcomer_to_changes_is_told_where_they_begin() -> None:
    topics, source = Topics(), Spoken(is_state=False)
    topic = topics.topic("key", source, "ada")
    first = topic.follow()
    await source.say(b"begin")
    await source.say(b"a")
    await source.say(b"a")
    second = topic.follow()
    await source.say(b"b")
    assert await told(first) == [b"begin", b"a", b"a", b"b"]
    assert (await told(second), source.asked) == ([b"begin", b"b"], 0)


def begun(topics: Topics, key: str = "key", body: bytes = b"x") -> tuple[Topic, Burst]:
    source = Burst(body)
    return topics.topic(key, source, "ada"), source


async def read(follower: Follower, wanted: int) -> list[bytes | None]:
    """Take so many answers as they come."""
    return [await follower.next() for _ in range(wanted)]


async def test_no_answer_of_a_burst_is_lost_by_one_who_takes_them() -> None:
    topic, source = begun(Topics())
    followers = [topic.follow() for _ in range(3)]
    all_told = asyncio.gather(*(read(follower, 10_000) for follower in followers))
    source.tell(10_000)
    for heard in await all_told:
        assert heard == [b"x%d" % number for number in range(10_000)]


@pytest.mark.parametrize("body", [b"x", b"x" * (MAX_BYTES // 10)])
async def test_one_who_takes_nothing_is_cut_off_and_others_are_told_all(body: bytes) -> None:
    topics = Topics()
    topic, source = begun(topics, body=body)
    stuck, awake = topic.follow(), topic.follow()
    source.tell(1)
    await stuck.next()  # and never comes back
    reading = asyncio.create_task(read(awake, 2 * MAX_MESSAGES))
    source.tell(2 * MAX_MESSAGES - 1)
    heard = await reading
    assert len(heard) == 2 * MAX_MESSAGES
    assert None not in heard
    assert (await told(stuck), topics.fan_out.waiting_bytes) == ([TooSlow], 0)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("extra", [0, 1])
async def test_as_many_answers_as_are_promised_wait_for_a_slow_reader(extra: int) -> None:
    topics = Topics()
    topic, source = begun(topics)
    slow = topic.follow()
    source.tell(1)
    await slow.next()
    source.tell(MAX_MESSAGES - 1 + extra)
    await source.all_told()
    waiting = await told(slow)
    assert waiting == [TooSlow] if extra else len(waiting) == MAX_MESSAGES - 1


@pytest.mark.usefixtures("hasty")
async def test_source_is_not_asked_for_more_while_there_is_no_room() -> None:
    topic, source = begun(Topics())
    slow = topic.follow()
    source.tell(10 * MAX_MESSAGES)
    while source.told < MAX_MESSAGES:
        await pause()
    await asyncio.sleep(0.2)
    # It has taken nothing, but its connection has nothing to send either: the gateway is late.
    assert source.told == MAX_MESSAGES
    assert len(await read(slow, 10 * MAX_MESSAGES)) == 10 * MAX_MESSAGES


async def test_others_have_their_turn_while_many_followers_are_told() -> None:
    topic, source = begun(Topics())
    followers = [topic.follow() for _ in range(6 * TURNS)]
    heard = 0

    async def take(follower: Follower) -> None:
        nonlocal heard
        for _ in range(5):
            await follower.next()
            heard += 1

    reading = asyncio.gather(*map(take, followers))
    source.tell(5)
    at_once = 0
    while not reading.done():
        before = heard
        await asyncio.sleep(0)
        at_once = max(at_once, heard - before)
    assert (heard, 0 < at_once <= TURNS) == (5 * len(followers), True)


async def test_state_that_waits_gives_way_to_a_newer_one() -> None:
    topics, source = Topics(), Spoken()
    follower = topics.topic("key", source, "ada").follow()
    for number in range(2 * MAX_MESSAGES):
        await source.say(b"%d" % number)
    assert topics.fan_out.waiting_bytes == 4
    assert await told(follower) == [b"%d" % (2 * MAX_MESSAGES - 1)]
    assert topics.fan_out.waiting_bytes == 0


async def test_answer_that_waits_for_many_is_counted_once_until_all_have_taken_it() -> None:
    topics = Topics()
    topic, source = begun(topics, body=b"12345")
    first, second, third = (topic.follow() for _ in range(3))
    source.tell(1)
    await pause()
    assert topics.fan_out.waiting_bytes == 6
    await first.next()
    await second.next()
    assert topics.fan_out.waiting_bytes == 6
    topic.leave(third)
    assert topics.fan_out.waiting_bytes == 0


@pytest.mark.usefixtures("hasty")
async def test_in_a_full_process_those_who_take_nothing_are_cut_off_in_every_topic() -> None:
    topics = Topics(fan_out=FanOut(max_bytes=50_000))
    stuck = []
    for key in ("a", "b", "c"):
        topic, source = begun(topics, key, b"x" * 1_000)
        stuck.append(topic.follow())
        source.tell(1)
        await stuck[-1].next()
        source.tell(16)  # far less than one follower may have wait
        await source.all_told()
    assert 45_000 < topics.fan_out.waiting_bytes < 50_000
    topic, source = begun(topics, "d", b"x" * 1_000)
    awake = topic.follow()
    source.tell(100)
    assert None not in await read(awake, 100)
    source.tell(5)  # nobody takes them, and there is room
    await source.all_told()
    assert topics.fan_out.waiting_bytes < 50_000
    assert [await told(follower) for follower in stuck] == [[TooSlow]] * 3


async def test_what_a_viewer_has_computed_is_bounded_and_given_back() -> None:
    counts: list[int] = []
    topics = Topics(counts.append)
    sources = [Spoken() for _ in range(MAX_TOPICS + 1)]
    begun = [topics.topic(str(n), sources[n], "ada") for n in range(MAX_TOPICS)]
    followers = [topic.follow() for topic in begun]
    with pytest.raises(LimitExceeded, match=str(MAX_TOPICS)):
        topics.topic("one more", sources[-1], "ada")
    assert topics.topic("0", sources[-1], "ada") is begun[0]  # one that runs already
    other = topics.topic("one more", sources[-1], "bob")
    followers.append(other.follow())
    await pause()
    for topic, follower in zip([*begun, other], followers, strict=True):
        topic.leave(follower)
    await pause()
    assert all(source.is_over for source in sources)
    assert (counts[-1], topics._topics, topics._begun) == (0, {}, {})
    topics.topic("again", Spoken(), "ada")


async def test_when_the_process_stops_followers_are_told_and_nothing_begins_anew() -> None:
    topics = Topics()
    topic = topics.topic("key", Spoken(), "ada")
    follower = topic.follow()
    topics.end_all()
    assert await told(follower) == [Stopping]
    with pytest.raises(Unavailable):
        topics.topic("another", Spoken(), "ada")
    topic.leave(follower)


async def test_ten_thousand_who_come_and_go_leave_nothing() -> None:
    topics = Topics()
    before = asyncio.all_tasks()
    for number in range(10_000):
        source = Spoken()
        topic = topics.topic(str(number % 7), source, f"viewer-{number % 3}")
        topic.leave(topic.follow())
    await pause()
    assert (topics._topics, topics._begun) == ({}, {})
    assert "topic" not in {task.get_name() for task in asyncio.all_tasks() - before}
