"""The part of the report about ingest and subscriptions."""

import statistics
from collections.abc import Iterator

from benchmarks.ingest import (
    BATCH_CONNECTIONS,
    EVENTS_PER_BATCH,
    PACE_PER_SECOND,
    SINGLE_CONNECTIONS,
    Ingest,
    Measured,
    Rate,
)
from benchmarks.live import Live
from benchmarks.tables import FIGURE_HEADS, figure, table

BATCHES_PER_SECOND = 5_000
SINGLE_P99_MS = 50
GATEWAY_MB = 150
LIVE_MEMORY_MB = 100
LIVE_STATEMENTS = 1
LIVE_SECONDS = 1.0


def subscribers(live: Live) -> Iterator[str]:
    yield f"## {live.followers:,} subscribers to one project"
    yield ""
    yield (
        "WebSockets of 20 viewers, all in one process; changes come in through another gateway, so "
        "that the one measured does nothing but tell. Seconds count from sending the event."
    )
    yield ""
    alone, beside = live.alone, live.beside_paused
    slowest, slowest_beside = max(alone.last_seconds), max(beside.last_seconds)
    yield from table(*FIGURE_HEADS)
    yield figure(
        "memory added",
        f"{live.memory_mb:.0f} MB",
        f"under {LIVE_MEMORY_MB} MB",
        live.memory_mb < LIVE_MEMORY_MB,
    )
    # Now and then the gateway runs other statements, such as a look for revoked tokens.
    yield figure(
        "SQL statements per change",
        f"{live.statements_per_change:.2f}",
        f"{LIVE_STATEMENTS}",
        round(live.statements_per_change) <= LIVE_STATEMENTS,
    )
    yield figure("gateway CPU per change", f"{live.gateway_cpu_ms:.1f} ms")
    yield figure("Postgres CPU per change, taking it in included", f"{live.postgres_cpu_ms:.1f} ms")
    yield figure(
        "the median one is told, median", f"{statistics.median(alone.median_seconds):.2f} s"
    )
    for name, told, most in (
        ("the last one is told", alone, slowest),
        ("the same beside one who stopped reading", beside, slowest_beside),
    ):
        value = f"{statistics.median(told.last_seconds):.2f} s, {most:.2f} s"
        yield figure(
            f"{name}, median and slowest",
            value,
            f"under {LIVE_SECONDS:.0f} s",
            most < LIVE_SECONDS,
        )
    yield ""


def intake(taken: Ingest, memory_mb: float) -> Iterator[str]:
    yield "## Ingest and memory"
    yield ""
    yield (
        "Through HTTP, acknowledged after commit, all roll-ups kept. Latencies are the median and "
        "the 99th percentile; those at a pace count from the moment a request was due."
    )
    yield ""
    full, paced, single = taken.full.rate, taken.paced.rate, taken.single.rate
    p99_ms = paced.percentile_ms(0.99)
    yield from table(*FIGURE_HEADS)
    yield figure(
        f"events in batches of {EVENTS_PER_BATCH:,}, {BATCH_CONNECTIONS} connections",
        f"{full.per_second:,.0f}/s",
        f"{BATCHES_PER_SECOND:,}/s",
        full.per_second >= BATCHES_PER_SECOND,
    )
    yield figure("a batch", latency(full))
    yield figure("CPU per event, gateway and Postgres", cpu(taken.full))
    yield figure(
        f"single events at {PACE_PER_SECOND:.0f} a second, {SINGLE_CONNECTIONS} connections",
        f"{paced.per_second:,.0f}/s",
        f"{PACE_PER_SECOND:.0f}/s",
        # The last responses come a little after the end.
        round(paced.per_second / PACE_PER_SECOND, 2) >= 0.99,
    )
    yield figure(
        "one of them", latency(paced), f"p99 under {SINGLE_P99_MS} ms", p99_ms < SINGLE_P99_MS
    )
    yield figure("CPU per event, gateway and Postgres", cpu(taken.paced))
    yield figure(
        f"single events as fast as {SINGLE_CONNECTIONS} connections can",
        f"{single.per_second:,.0f}/s",
    )
    yield figure("one of them", latency(single))
    yield figure("CPU per event, gateway and Postgres", cpu(taken.single))
    for after, taken_mb in (("queries", memory_mb), ("ingest", taken.memory_mb)):
        yield figure(
            f"gateway memory after the {after}",
            f"{taken_mb:.0f} MB",
            f"{GATEWAY_MB} MB",
            taken_mb <= GATEWAY_MB,
        )
    yield ""


def latency(rate: Rate) -> str:
    return f"{rate.median_ms:.1f} ms, {rate.percentile_ms(0.99):.1f} ms"


def cpu(measured: Measured) -> str:
    return f"{measured.gateway_cpu_us:.0f} µs, {measured.postgres_cpu_us:.0f} µs"
