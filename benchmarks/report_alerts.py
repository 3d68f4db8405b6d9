"""The part of the report about alerts."""

from collections.abc import Iterator

from alerts.evaluator import TICK_SECONDS
from benchmarks.alerts import Ticks
from benchmarks.tables import met, row, table


def alerts(found: Ticks) -> Iterator[str]:
    last, times = found.later[-1], found.times
    yield "## Ticks of alert rules"
    yield ""
    yield (
        f"{found.rules:,} rules over 1,000 projects: rates, percentiles, changes and absences over "
        "five minutes to a day, with filters and groups. A tick reads all of them in one state of "
        f"the data, by {last.statements} statements; the cache takes no part. It takes "
        f"{found.cpu_seconds:.2f} s of the worker's processor time, whose process has "
        f"{found.memory_mb:.0f} MB at most, with the benchmark itself."
    )
    yield ""
    yield from table("tick", "seconds", "p95 s", "instances written", "goal s", "")
    first = found.first
    goal = f"{TICK_SECONDS}"
    yield row(
        (
            "the first after a start",
            f"{first.seconds:.2f}",
            "",
            f"{first.changed:,}",
            goal,
            met(first.seconds <= TICK_SECONDS),
        )
    )
    yield row(
        (
            "later ones",
            f"{times.median_ms / 1000:.2f}",
            f"{times.p95_ms / 1000:.2f}",
            f"{last.changed:,}",
            goal,
            met(times.p95_ms <= TICK_SECONDS * 1000),
        )
    )
    yield ""
