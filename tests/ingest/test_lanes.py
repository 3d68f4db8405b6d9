"""Lanes: batches, withdrawals, retries, poison and draining; a function plays the database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from ingest.events import ProjectEvent, Written
from ingest.lanes import Backlog, Lane, Observer, Write
from storage.errors import Conflict, GatewayError, Timeout, Unavailable
from tests.ingest.samples import event
from tests.ingest.strategies import read


class Counting(Observer):
    """Records the reports of a lane."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.reasons: list[str] = []

    def batch(self, events: int, seconds: float) -> None:
        assert seconds >= 0
        self.batches.append(events)

    def retried(self, reason: str) -> None:
        self.reasons.append(reason)


def entries(*numbers: int) -> list[ProjectEvent]:
    queued = read(event("queued"))
    return [ProjectEvent(1, replace(queued, event_id=UUID(int=n))) for n in numbers]


@asynccontextmanager
async def running(write: Write, batch_events: int = 10) -> AsyncIterator[tuple[Lane, Counting]]:
    observer = Counting()
    lane = Lane(write, observer, batch_events)
    task = asyncio.create_task(lane.run())
    yield lane, observer
    lane.stop()
    await asyncio.wait_for(task, 5)


async def written(lane: Lane, given: Sequence[ProjectEvent]) -> list[Written]:
    parts = await asyncio.wait_for(asyncio.gather(*lane.submit(given)), 5)
    return [each for part in parts for each in part]


async def all_new(batch: Sequence[ProjectEvent]) -> list[Written]:
    return [Written.NEW for _ in batch]


async def test_what_is_pending_goes_into_one_batch() -> None:
    async with running(all_new) as (lane, observer):
        parts = [*lane.submit(entries(1, 2)), *lane.submit(entries(3)), *lane.submit(entries(4))]
        await asyncio.gather(*parts)
    assert observer.batches == [4]


async def test_a_large_request_is_cut_into_batches_and_answered_in_order() -> None:
    async def odd_is_new(batch: Sequence[ProjectEvent]) -> list[Written]:
        odd = (entry.event.event_id.int % 2 for entry in batch)
        return [Written.NEW if each else Written.KNOWN for each in odd]

    async with running(odd_is_new) as (lane, observer):
        answer = await written(lane, entries(*range(25)))
    assert answer == [Written.NEW if n % 2 else Written.KNOWN for n in range(25)]
    assert observer.batches == [10, 10, 5]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Conflict("deadlock"), "conflict"),
        (Unavailable("gone"), "unavailable"),
        (Timeout("slow"), "unavailable"),
        (ConnectionResetError(), "unavailable"),
    ],
)
async def test_the_same_batch_goes_again_when_the_database_was_in_the_way(
    error: Exception, reason: str
) -> None:
    seen: list[list[int]] = []

    async def third_time(batch: Sequence[ProjectEvent]) -> list[Written]:
        seen.append([entry.event.event_id.int for entry in batch])
        if len(seen) < 3:
            raise error
        return [Written.NEW for _ in batch]

    async with running(third_time) as (lane, observer):
        assert await written(lane, entries(1, 2)) == [Written.NEW, Written.NEW]
    assert seen == [[1, 2]] * 3
    assert observer.reasons == [reason] * 2


def refusing(poison: set[int], error: Exception) -> Callable[..., object]:
    async def write(batch: Sequence[ProjectEvent]) -> list[Written]:
        if any(entry.event.event_id.int in poison for entry in batch):
            raise error
        return [Written.NEW for _ in batch]

    return write


async def test_poison_never_sinks_the_events_beside_it() -> None:
    error = asyncpg.DataError("invalid byte sequence")
    async with running(refusing({3, 8}, error)) as (lane, observer):  # type: ignore[arg-type]
        answer = await written(lane, entries(*range(10)))
    assert [n for n, each in enumerate(answer) if each is Written.REFUSED] == [3, 8]
    assert sum(observer.batches) == 8


async def test_an_unexpected_error_reaches_the_sender_and_the_lane_goes_on() -> None:
    fault = RuntimeError("a bug")
    async with running(refusing({1}, fault)) as (lane, _):  # type: ignore[arg-type]
        with pytest.raises(RuntimeError, match="a bug"):
            await written(lane, entries(1, 2))
        assert await written(lane, entries(2)) == [Written.NEW]


async def test_withdrawn_events_are_not_tried_again() -> None:
    tried: list[int] = []

    async def down(batch: Sequence[ProjectEvent]) -> list[Written]:
        tried.append(len(batch))
        if len(tried) < 4:
            raise Unavailable("down")
        return [Written.NEW for _ in batch]

    async with running(down) as (lane, _):
        (impatient,) = lane.submit(entries(1))
        (patient,) = lane.submit(entries(2, 3))
        await asyncio.sleep(0)
        impatient.cancel()
        assert await asyncio.wait_for(patient, 5) == [Written.NEW, Written.NEW]
    assert tried[-1] == 2


async def test_stopping_writes_what_is_pending_first() -> None:
    async def slow(batch: Sequence[ProjectEvent]) -> list[Written]:
        await asyncio.sleep(0.01)
        return [Written.NEW for _ in batch]

    async with running(slow, batch_events=1) as (lane, _):
        parts = lane.submit(entries(*range(5)))
    assert [part.result() for part in parts] == [[Written.NEW]] * 5


def test_the_backlog_is_bounded_in_events_and_bytes() -> None:
    backlog = Backlog(events_at_most=6, bytes_at_most=100)
    both = Counter({1: 3, 2: 2})
    with backlog.reserve(both, 60):
        for projects, size in ((Counter({3: 2}), 0), (Counter({3: 1}), 41)):
            with pytest.raises(GatewayError) as caught, backlog.reserve(projects, size):
                pass
            assert isinstance(caught.value, Unavailable)
            assert caught.value.retry_after_seconds > 0
    with backlog.reserve(Counter({1: 3, 2: 3}), 100):
        pass


def test_one_project_fills_half_of_the_backlog_at_most() -> None:
    backlog = Backlog(events_at_most=6, bytes_at_most=100)
    two, three = Counter({1: 2}), Counter({1: 3})
    with backlog.reserve(two, 0), pytest.raises(Unavailable, match="one project"):
        backlog.reserve(two, 0).__enter__()
    with backlog.reserve(three, 0), backlog.reserve(Counter({2: 3}), 0):
        pass


async def test_a_flood_of_one_project_makes_no_other_wait() -> None:
    batches: list[list[int]] = []
    writing = asyncio.Event()

    async def noting(batch: Sequence[ProjectEvent]) -> list[Written]:
        batches.append([entry.project_id for entry in batch])
        writing.set()
        await asyncio.sleep(0)
        return [Written.NEW for _ in batch]

    flood = [entry._replace(project_id=1) for entry in entries(*range(50_000))]
    async with running(noting, batch_events=1_000) as (lane, _):
        lane.submit(flood)
        await writing.wait()
        begun = len(batches)
        lane.submit([entry._replace(project_id=2) for entry in entries(1)])
        lane.submit([entry._replace(project_id=3) for entry in entries(2)])
    assert {2, 3} <= set(batches[begun])
    assert sum(map(len, batches)) == 50_002
    # What is left of a batch is not wasted either.
    assert len(batches[begun]) > 700


async def test_events_of_one_project_keep_their_order() -> None:
    written: list[ProjectEvent] = []

    async def noting(batch: Sequence[ProjectEvent]) -> list[Written]:
        written.extend(batch)
        return [Written.NEW for _ in batch]

    sent = [entry._replace(project_id=1) for entry in entries(*range(2_500))]
    async with running(noting, batch_events=1_000) as (lane, _):
        lane.submit(sent)
    assert written == sent
