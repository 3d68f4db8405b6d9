"""Questions that meet share a round; none is lost, mixed up, or held up by one that left."""

import asyncio
from collections.abc import Sequence

import pytest

from storage.connections.batches import Batches

pytestmark = pytest.mark.alone


class Oracle:
    """Doubles numbers, when it is let, and notes which were asked together."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def ask(self, questions: Sequence[int]) -> list[int]:
        self.rounds.append(list(questions))
        await self.may_answer.wait()
        if 13 in questions:
            raise ValueError("not thirteen")
        return [2 * question for question in questions]


async def test_those_who_come_meanwhile_go_together() -> None:
    oracle = Oracle()
    batches = Batches(oracle.ask, at_most=3)
    oracle.may_answer.clear()
    first = asyncio.create_task(batches.ask(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(batches.ask(number)) for number in range(2, 7)]
    await asyncio.sleep(0)
    oracle.may_answer.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6, 8, 10, 12]
    assert oracle.rounds == [[1], [2, 3, 4], [5, 6]]
    assert await batches.ask(7) == 14


async def test_failure_is_told_to_its_round_alone() -> None:
    oracle = Oracle()
    batches = Batches(oracle.ask, at_most=2)
    found = await asyncio.gather(
        *(batches.ask(number) for number in (1, 13, 2, 3)), return_exceptions=True
    )
    assert [type(error) for error in found[:2]] == [ValueError, ValueError]
    assert found[2:] == [4, 6]


async def test_who_leaves_takes_nobody_along() -> None:
    oracle = Oracle()
    batches = Batches(oracle.ask, at_most=5)
    oracle.may_answer.clear()
    leaving, staying = (asyncio.create_task(batches.ask(number)) for number in (1, 2))
    await asyncio.sleep(0)
    leaving.cancel()
    oracle.may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await staying == 4


async def test_round_that_is_cancelled_leaves_nobody_waiting() -> None:
    oracle = Oracle()
    batches = Batches(oracle.ask, at_most=1)
    oracle.may_answer.clear()
    waiting = [asyncio.create_task(batches.ask(number)) for number in (1, 2)]
    await asyncio.sleep(0.01)
    assert batches._asking is not None
    batches._asking.cancel()
    found = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 1)
    assert [type(error) for error in found] == [asyncio.CancelledError] * 2
    oracle.may_answer.set()
    assert await batches.ask(3) == 6


def test_rounds_of_a_loop_that_has_ended_hold_up_none_of_the_next() -> None:
    oracle = Oracle()
    batches = Batches(oracle.ask, at_most=5)

    async def leave() -> None:
        oracle.may_answer.clear()
        asyncio.create_task(batches.ask(1))  # noqa: RUF006 - left behind on purpose
        await asyncio.sleep(0.01)

    async def come() -> int:
        oracle.may_answer = asyncio.Event()
        oracle.may_answer.set()
        return await asyncio.wait_for(batches.ask(2), 1)

    asyncio.run(leave())
    assert asyncio.run(come()) == 4
