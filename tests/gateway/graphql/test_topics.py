"""Topics: newcomers are told the state as it is, and nothing is left once nobody follows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from gateway.graphql.live import topics as module
from gateway.graphql.live.topics import (
    TOPICS_AT_MOST,
    WAITING_AT_MOST,
    Answer,
    Ended,
    Follower,
    Topics,
)
from storage.errors import LimitExceeded, Unavailable


@dataclass
class Spoken:
    """A source that tells what the test has it tell."""

    is_state: bool = True
    said: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    asked: int = 0
    is_over: bool = False

    async def answers(self) -> AsyncIterator[Answer]:
        try:
            while True:
                yield Answer(await self.said.get(), self.is_state)
        finally:
            self.is_over = True

    def ask_again(self) -> None:
        self.asked += 1

    async def say(self, body: bytes) -> None:
        self.said.put_nowait(body)
        await pause()


async def pause() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def told(follower: Follower) -> list[bytes | Ended]:
    await pause()
    heard = []
    while not follower._waiting.empty():
        heard.append(await follower.next())
    return heard


@pytest.fixture
def stale_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", -1.0)


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


async def test_one_who_takes_nothing_in_is_ended_and_others_are_told_all() -> None:
    topics, source = Topics(), Spoken()
    topic = topics.topic("key", source, "ada")
    paused, awake = topic.follow(), topic.follow()
    heard: list[bytes | Ended] = []
    for number in range(WAITING_AT_MOST + 3):
        await source.say(b"%d" % number)
        heard += await told(awake)
    assert len(heard) == WAITING_AT_MOST + 3
    assert (await told(paused))[-1] == Ended(too_slow=True)


async def test_what_a_viewer_has_computed_is_bounded_and_given_back() -> None:
    counts: list[int] = []
    topics = Topics(counts.append)
    sources = [Spoken() for _ in range(TOPICS_AT_MOST + 1)]
    begun = [topics.topic(str(n), sources[n], "ada") for n in range(TOPICS_AT_MOST)]
    followers = [topic.follow() for topic in begun]
    with pytest.raises(LimitExceeded, match=str(TOPICS_AT_MOST)):
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
    topics.let_go()
    assert await told(follower) == [Ended(stopping=True)]
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
