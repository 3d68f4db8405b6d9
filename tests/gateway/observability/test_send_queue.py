"""The queue of what waits to be sent: its bound, its pauses, and what happens at the end."""

import asyncio
import time
from collections.abc import Sequence

from gateway.observability.send_queue import SendQueue
from storage.errors import Unavailable


class Receiver:
    """Takes items, or raises the errors it is told, one for each try."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.taken: list[list[int]] = []
        self.lost = 0
        self.queue = SendQueue(
            "tests", self.take, self.on_lost, max_waiting=10, at_once=4, max_pause_seconds=8.0
        )

    async def take(self, items: Sequence[int]) -> int:
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(list(items))
        return 0

    def on_lost(self, count: int) -> None:
        self.lost += count

    def add(self, count: int) -> None:
        for item in range(count):
            self.queue.add(item)


async def test_items_are_sent_in_order_a_part_at_a_time() -> None:
    receiver = Receiver()
    receiver.add(9)
    assert await receiver.queue.flush()
    assert receiver.taken == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]
    assert receiver.lost == 0


async def test_what_finds_no_room_is_counted() -> None:
    receiver = Receiver(Unavailable("away"))
    receiver.add(13)
    assert not await receiver.queue.flush()
    assert receiver.lost == 3
    assert await receiver.queue.flush()
    assert [item for items in receiver.taken for item in items] == list(range(10))
    assert receiver.lost == 3


async def test_items_that_can_never_be_sent_are_lost_without_holding_up_others() -> None:
    receiver = Receiver(RuntimeError("a bug"))
    receiver.add(6)
    assert await receiver.queue.flush()
    assert receiver.taken == [[4, 5]]
    assert receiver.lost == 4


async def test_pause_doubles_up_to_its_limit_until_items_are_taken() -> None:
    receiver = Receiver(*[Unavailable("away")] * 5)
    receiver.add(1)
    assert [await receiver.queue.step() for _ in range(7)] == [2, 4, 8, 8, 8, 1, 1]


async def test_end_waits_a_second_at_most_and_counts_what_is_left() -> None:
    receiver = Receiver()

    async def hang(_items: Sequence[int]) -> int:
        await asyncio.sleep(60)
        return 0

    queue = SendQueue("tests", hang, receiver.on_lost, max_waiting=10, at_once=4)
    started = time.monotonic()
    async with queue.sending():
        for item in range(7):
            queue.add(item)
    assert time.monotonic() - started < 2
    assert receiver.lost == 7
