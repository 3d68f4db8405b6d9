"""The benchmark reads metrics, processor times and answers correctly."""

import asyncio
import os
import time

from prometheus_client.samples import Sample

from benchmarks.busy import hit_rate
from benchmarks.measure import in_turn, private_memory_mb
from benchmarks.metrics import Counters
from benchmarks.schedule import Schedule

WHOLE, PARTS = "gateway_response_cache_lookups_total", "gateway_cache_lookups_total"


def counters(**counts: float) -> Counters:
    """Counters made from arguments such as `whole_hit=3`."""
    names = {"whole": WHOLE, "parts": PARTS}
    samples = []
    for key, value in counts.items():
        name, outcome = key.split("_")
        samples.append(Sample(names[name], {"outcome": outcome}, value))
    return Counters(tuple(samples))


def test_a_miss_of_a_whole_answer_counts_as_its_parts_do() -> None:
    before = counters(whole_hit=10, whole_miss=10, parts_hit=5, parts_miss=5)
    after = counters(whole_hit=16, whole_miss=14, parts_hit=7, parts_miss=6, parts_stale=1)
    assert hit_rate(before, after) == 9 / 10


def test_counters_add_up_the_series_with_the_labels_asked_for() -> None:
    found = counters(whole_hit=2, whole_miss=3, parts_hit=7)
    assert found.sum(WHOLE) == 5
    assert found.sum(WHOLE, outcome="hit") == 2
    assert found.sum("another") == 0


def test_private_memory_grows_with_what_a_process_takes() -> None:
    before = private_memory_mb(os.getpid())
    taken = bytearray(os.urandom(1)) * (64 * 1024 * 1024)
    assert private_memory_mb(os.getpid()) > before + 60
    del taken


async def test_both_sides_get_all_rounds_and_only_counted_ones_are_timed() -> None:
    asked: list[tuple[str, int]] = []

    async def one(number: int) -> None:
        asked.append(("one", number))

    async def other(number: int) -> None:
        asked.append(("other", number))
        await asyncio.sleep(0.002)

    first, second = await in_turn(4, one, other)
    assert len(first.milliseconds) == len(second.milliseconds) == 4
    assert min(second.milliseconds) >= 2
    assert sorted(asked) == sorted((name, n) for name in ("one", "other") for n in range(14))
    assert [name for name, _ in asked[:4]] == ["other", "one", "one", "other"]


async def test_requests_are_due_at_the_pace_until_the_end() -> None:
    schedule = Schedule(0.1, 100.0)
    dues = []
    while (due := await schedule.due()) is not None:
        dues.append(due - schedule.began)
        assert time.perf_counter() >= due
    assert [round(due, 6) for due in dues] == [round(n / 100, 6) for n in range(10)]
