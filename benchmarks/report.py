"""RESULTS.md: the figures of one run as tables, each beside its goal."""

import platform
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.ingest import (
    BATCH_CONNECTIONS,
    EVENTS_PER_BATCH,
    PACE_PER_SECOND,
    SINGLE_CONNECTIONS,
    Ingest,
    Measured,
    Rate,
)
from benchmarks.layers import Layer
from benchmarks.live import Live
from benchmarks.repeated import CONNECTIONS, VARIANTS, Repeated, Speed
from benchmarks.uncached import Uncached

GROWTH = 1.5
BATCHES_PER_SECOND = 5_000
SINGLE_P99_MS = 50
LIVE_MEMORY_MB = 100
LIVE_STATEMENTS = 1
LIVE_SECONDS = 1.0

MARKER = "<!-- What stands below this line is written by hand and kept. -->"


@dataclass(frozen=True, slots=True)
class Figures:
    """All that one run measured."""

    deployments: int
    seconds: float
    uncached: list[Uncached]
    repeated: list[Repeated]
    layers: list[Layer]
    live: Live
    ingest: Ingest
    memory_mb: float


def write(figures: Figures, path: Path) -> None:
    """Write the tables anew; what people wrote below the marker stays."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    notes = before.partition(MARKER)[2] or "\n"
    text = "\n".join(lines(figures))
    path.write_text(f"{text}\n{MARKER}{notes}", encoding="utf-8")


def lines(figures: Figures) -> Iterable[str]:
    """The whole report."""
    yield "# Benchmark results"
    yield ""
    yield (
        f"`make bench N={figures.deployments}` on {datetime.now(UTC):%Y-%m-%d}, "
        f"{figures.seconds / 60:.0f} minutes, Python {platform.python_version()}, embedded "
        "PostgreSQL and Redis, gateway, servers and load on the same two cores. Absolute times "
        "vary with the machine; the ratios were taken in one run, each side in turn with its "
        "floor. CPU is the processor time of the processes named, and of no other."
    )
    yield ""
    yield from _uncached(figures)
    yield from _growth(figures)
    yield from _repeated(figures)
    yield from _layers(figures)
    yield from _live(figures.live)
    yield from _ingest(figures)


def _met(holds: bool) -> str:
    return "met" if holds else "missed"


def _table(*heads: str) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|---" * len(heads) + "|"


def _uncached(figures: Figures) -> Iterator[str]:
    yield f"## Uncached answers, {figures.deployments:,} deployments"
    yield ""
    yield (
        "Median over HTTP with caches off, one request at a time, against the plainest SQL for "
        "the same figures through one asyncpg connection. Goal: twice the SQL + 1 ms; for the "
        "list the SQL + 2 ms."
    )
    yield ""
    yield from _table("question", "gateway ms", "SQL ms", "goal ms", "")
    for each in figures.uncached:
        met = _met(each.median_ms <= each.goal_ms)
        yield (
            f"| {each.question.name} | {each.median_ms:.2f} | {each.floor_ms:.2f} |"
            f" {each.goal_ms:.2f} | {met} |"
        )
    yield ""
    yield f"The same under load, from a process of its own over {CONNECTIONS} connections."
    yield ""
    yield from _table(
        "question",
        "/s",
        "gateway CPU ms",
        "Postgres CPU ms",
        "per CPU-second of the gateway",
        "goal",
        "",
    )
    for each in figures.uncached:
        goal = each.question.goal_per_cpu_second
        met = "" if goal is None else _met(each.per_cpu_second >= goal)
        yield (
            f"| {each.question.name} | {each.per_second:,.0f} | {each.cpu_ms:.2f} |"
            f" {each.postgres_cpu_ms:.2f} | {each.per_cpu_second:,.0f} |"
            f" {'' if goal is None else f'{goal:,.0f}'} | {met} |"
        )
    yield ""


def _growth(figures: Figures) -> Iterator[str]:
    yield f"## Growth from {figures.deployments // 10:,} to {figures.deployments:,} deployments"
    yield ""
    yield "Projects and series are the same."
    yield ""
    yield from _table("question", "before ms", "after ms", "ratio", "goal", "")
    for each in figures.uncached:
        ratio = each.whole_ms / each.tenth_ms
        yield (
            f"| {each.question.name} | {each.tenth_ms:.2f} | {each.whole_ms:.2f} |"
            f" {ratio:.2f} | {GROWTH} | {_met(ratio <= GROWTH)} |"
        )
    yield ""


def _repeated(figures: Figures) -> Iterator[str]:
    yield "## Repeated answers"
    yield ""
    yield (
        f"The same query with a token again and again, from a process of its own over {CONNECTIONS}"
        " kept connections, against a bare Starlette application that returns the same bytes of "
        "the same media type. The goal is for the ratio of requests per CPU-second; that of "
        "requests per second is what is left where client, gateway and kernel share two cores. "
        "A log line is written for each request, to a file, where nothing else is said."
    )
    for index, variant in enumerate(VARIANTS):
        yield ""
        goal = "" if variant.goal is None else f": goal {variant.goal:.2f}"
        yield f"### {variant.name[0].upper()}{variant.name[1:]}{goal}"
        yield ""
        yield from _table(
            "question",
            "bytes",
            "/s",
            "bare /s",
            "ratio",
            "gateway CPU µs",
            "Postgres CPU µs",
            "Redis CPU µs",
            "bare CPU µs",
            "CPU ratio",
            "",
        )
        for each in figures.repeated:
            yield _speed_row(each, each.variants[index], variant.goal)
    yield ""


def _speed_row(each: Repeated, speed: Speed, goal: float | None) -> str:
    ratio = speed.per_cpu_second / each.bare.per_cpu_second
    cells = (
        each.name,
        f"{each.answer_bytes:,}",
        f"{speed.per_second:,.0f}",
        f"{each.bare.per_second:,.0f}",
        f"{speed.per_second / each.bare.per_second:.2f}",
        f"{speed.cpu_us(speed.used.gateway):.1f}",
        f"{speed.cpu_us(speed.used.postgres):.1f}",
        f"{speed.cpu_us(speed.used.redis):.1f}",
        f"{each.bare.cpu_us(each.bare.used.gateway):.1f}",
        f"{ratio:.2f}",
        "" if goal is None else _met(ratio >= goal),
    )
    return f"| {' | '.join(cells)} |"


def _layers(figures: Figures) -> Iterator[str]:
    yield "## Middleware"
    yield ""
    yield "Processor time around a ready answer, from the inside out, without the HTTP server."
    yield ""
    yield from _table("layer", "µs")
    yield from (f"| {name} | {cost_us:.1f} |" for name, cost_us in figures.layers)
    yield f"| all of it | {sum(cost_us for _, cost_us in figures.layers):.1f} |"
    yield ""


def _live(live: Live) -> Iterator[str]:
    yield f"## {live.followers:,} subscribers to one project"
    yield ""
    yield (
        "WebSockets of 20 viewers, all in one process; changes come in through another gateway, so "
        "that the one measured does nothing but tell. Seconds count from sending the event."
    )
    yield ""
    alone, beside = live.alone, live.beside_paused
    slowest, slowest_beside = max(alone.last_seconds), max(beside.last_seconds)
    yield from _table("what", "figure", "goal", "")
    yield _row(
        "memory added",
        f"{live.memory_mb:.0f} MB",
        f"under {LIVE_MEMORY_MB} MB",
        live.memory_mb < LIVE_MEMORY_MB,
    )
    # Once in a while the gateway looks for something else, such as tokens taken back.
    yield _row(
        "SQL statements per change",
        f"{live.statements_per_change:.2f}",
        f"{LIVE_STATEMENTS}",
        round(live.statements_per_change) <= LIVE_STATEMENTS,
    )
    yield _row("gateway CPU per change", f"{live.gateway_cpu_ms:.1f} ms")
    yield _row("Postgres CPU per change, taking it in included", f"{live.postgres_cpu_ms:.1f} ms")
    yield _row("the median one is told, median", f"{statistics.median(alone.median_seconds):.2f} s")
    for name, told, most in (
        ("the last one is told", alone, slowest),
        ("the same beside one who stopped reading", beside, slowest_beside),
    ):
        figure = f"{statistics.median(told.last_seconds):.2f} s, {most:.2f} s"
        yield _row(
            f"{name}, median and slowest",
            figure,
            f"under {LIVE_SECONDS:.0f} s",
            most < LIVE_SECONDS,
        )
    yield ""


def _row(what: str, figure: str, goal: str = "", holds: bool | None = None) -> str:
    return f"| {what} | {figure} | {goal} | {'' if holds is None else _met(holds)} |"


def _ingest(figures: Figures) -> Iterator[str]:
    taken = figures.ingest
    yield "## Ingest and memory"
    yield ""
    yield (
        "Through HTTP, acknowledged after commit, all roll-ups kept. Latencies are the median and "
        "the 99th percentile; those at a pace count from the moment a request was due."
    )
    yield ""
    full, paced, single = taken.full.rate, taken.paced.rate, taken.single.rate
    p99_ms = paced.percentile_ms(0.99)
    yield from _table("what", "figure", "goal", "")
    yield _row(
        f"events in batches of {EVENTS_PER_BATCH:,}, {BATCH_CONNECTIONS} connections",
        f"{full.per_second:,.0f}/s",
        f"{BATCHES_PER_SECOND:,}/s",
        full.per_second >= BATCHES_PER_SECOND,
    )
    yield _row("a batch", _latency(full))
    yield _row("CPU per event, gateway and Postgres", _cpu(taken.full))
    yield _row(
        f"single events at {PACE_PER_SECOND:.0f} a second, {SINGLE_CONNECTIONS} connections",
        f"{paced.per_second:,.0f}/s",
        f"{PACE_PER_SECOND:.0f}/s",
        # The last requests are answered a little after the end.
        round(paced.per_second / PACE_PER_SECOND, 2) >= 0.99,
    )
    yield _row(
        "one of them", _latency(paced), f"p99 under {SINGLE_P99_MS} ms", p99_ms < SINGLE_P99_MS
    )
    yield _row("CPU per event, gateway and Postgres", _cpu(taken.paced))
    yield _row(
        f"single events as fast as {SINGLE_CONNECTIONS} connections can",
        f"{single.per_second:,.0f}/s",
    )
    yield _row("one of them", _latency(single))
    yield _row("CPU per event, gateway and Postgres", _cpu(taken.single))
    yield _row("gateway memory after the queries", f"{figures.memory_mb:.0f} MB")
    yield _row("gateway memory after the ingest", f"{taken.memory_mb:.0f} MB")
    yield ""


def _latency(rate: Rate) -> str:
    return f"{rate.median_ms:.1f} ms, {rate.percentile_ms(0.99):.1f} ms"


def _cpu(measured: Measured) -> str:
    return f"{measured.gateway_cpu_us:.0f} µs, {measured.postgres_cpu_us:.0f} µs"
