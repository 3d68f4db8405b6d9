"""The part of the report about alerts."""

from collections.abc import Iterator, Sequence

from alerts.evaluator import TICK_SECONDS
from benchmarks.alert_flood import CHANNELS, RULES_EACH, Flood
from benchmarks.alert_latency import Latency
from benchmarks.alerts import Ticks
from benchmarks.measure import percentile
from benchmarks.previews import Previewed
from benchmarks.tables import met, row, table

ON_EVENT_SECONDS = 5
WINDOWED_SECONDS = 15
PREVIEW_MS = 1_000


def alerts(found: Ticks, told: Latency, played: Sequence[Previewed], flood: Flood) -> Iterator[str]:
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
    yield from _told(told)
    yield from _flood(flood)
    yield from _played(played)


def _told(told: Latency) -> Iterator[str]:
    yield "### From event to webhook"
    yield ""
    yield (
        "From the answer of the gateway that has taken in a failed deployment to the arrival of "
        "the alert at a webhook, with all these rules evaluated meanwhile by the same worker."
    )
    yield ""
    yield from table("rule", "median s", "p99 s", "goal s", "")
    for kind, times, goal in (
        ("on event", told.on_event, ON_EVENT_SECONDS),
        ("over a window", told.windowed, WINDOWED_SECONDS),
    ):
        p99 = percentile(times.milliseconds, 0.99) / 1_000
        median = f"{times.median_ms / 1_000:.2f}"
        yield row((kind, median, f"{p99:.2f}", f"p99 {goal}", met(p99 <= goal)))
    yield ""


def _played(played: Sequence[Previewed]) -> Iterator[str]:
    yield "### Previews over 90 days"
    yield ""
    yield (
        "`alertPreview` reads a project's hours by one statement and plays the rule hour by hour. "
        "Reading is what `metrics` takes for the same hours, without a cache."
    )
    yield ""
    yield from table("rule", "groups", "reading ms", "preview ms", "ratio", "goal ms", "")
    for each in played:
        read, whole = each.reading.median_ms, each.whole.median_ms
        ratio, goal = f"{whole / read:.1f}", f"{PREVIEW_MS:,}"
        times = f"{read:.0f}", f"{whole:.0f}"
        yield row((each.name, str(each.groups), *times, ratio, goal, met(whole <= PREVIEW_MS)))


def _flood(found: Flood) -> Iterator[str]:
    times, rules = found.times, CHANNELS * RULES_EACH
    yield "### A flood"
    yield ""
    yield (
        f"{rules:,} rules of {CHANNELS} projects fire in one transaction, each told to a channel "
        "by a message of its own: from the commit to the arrival at the webhook, of all channels "
        f"but one, whose receiver never answers. The worker has {found.memory_mb:.0f} MB at most."
    )
    yield ""
    yield from table("messages", "messages/s", "median s", "p99 s", "last s")
    milliseconds = times.milliseconds
    yield row(
        (
            f"{len(milliseconds):,}",
            f"{found.per_second:.0f}",
            f"{times.median_ms / 1_000:.1f}",
            f"{percentile(milliseconds, 0.99) / 1_000:.1f}",
            f"{max(milliseconds) / 1_000:.1f}",
        )
    )
    yield ""
