"""RESULTS.md: the figures of one run as tables."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.ingest import EVENTS_PER_BATCH, Rate
from benchmarks.layers import Layer

GOAL_FACTOR = 3.0
GOAL_ALLOWANCE_MS = 2.0


@dataclass(frozen=True, slots=True)
class Cold:
    """An answer computed anew: medians over a tenth, over all and of the floor; processor time."""

    name: str
    tenth_ms: float
    median_ms: float
    floor_ms: float
    cpu_ms: float
    postgres_cpu_ms: float

    @property
    def goal_ms(self) -> float:
        return GOAL_FACTOR * self.floor_ms + GOAL_ALLOWANCE_MS


@dataclass(frozen=True, slots=True)
class Warm:
    """A kept answer: requests per second, and a bare application's with the same bytes."""

    name: str
    per_second: float
    bare_per_second: float
    answer_bytes: int


@dataclass(frozen=True, slots=True)
class Ingest:
    """Full batches and single events, processor time per event, memory afterwards."""

    full: Rate
    single: Rate
    gateway_cpu_us: float
    postgres_cpu_us: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All that one run measured."""

    deployments: int
    cold: list[Cold]
    warm: list[Warm]
    layers: list[Layer]
    ingest: Ingest
    memory_mb: float


MARKER = "<!-- What stands below this line is written by hand and kept. -->"


def write(figures: Figures, path: Path) -> None:
    """Write the tables anew; what people wrote below the marker stays."""
    text = "\n".join(_lines(figures))
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    notes = before.partition(MARKER)[2] or "\n"
    path.write_text(f"{text}\n{MARKER}{notes}", encoding="utf-8")
    print(text)


def _lines(figures: Figures) -> Iterable[str]:
    yield "# Benchmark results"
    yield ""
    yield (
        f"`make bench N={figures.deployments}` on {datetime.now(UTC):%Y-%m-%d}, "
        f"Python {platform.python_version()}, embedded PostgreSQL and Redis, gateway, servers and "
        "load on the same two cores. Absolute times vary with the machine; the ratios were taken "
        "in one run, each side in turn with its floor."
    )
    yield ""
    yield from _cold(figures)
    yield from _growth(figures)
    yield from _warm(figures)
    yield from _layers(figures)
    yield from _ingest(figures)


def _cold(figures: Figures) -> Iterable[str]:
    yield f"## Uncached answers, {figures.deployments:,} deployments"
    yield ""
    yield (
        "Median over HTTP with caches off, against the plainest SQL for the same figures through "
        f"one asyncpg connection. Goal: {GOAL_FACTOR:g} times SQL + {GOAL_ALLOWANCE_MS:g} ms."
    )
    yield ""
    yield "| question | gateway ms | SQL ms | goal ms | met | gateway CPU ms | Postgres CPU ms |"
    yield "|---|---|---|---|---|---|---|"
    for each in figures.cold:
        met = "yes" if each.median_ms <= each.goal_ms else "no"
        yield (
            f"| {each.name} | {each.median_ms:.2f} | {each.floor_ms:.2f} | {each.goal_ms:.2f} |"
            f" {met} | {each.cpu_ms:.2f} | {each.postgres_cpu_ms:.2f} |"
        )
    yield ""


def _growth(figures: Figures) -> Iterable[str]:
    yield f"## Growth from {figures.deployments // 10:,} to {figures.deployments:,} deployments"
    yield ""
    yield "Projects and series are the same. Goal: at most 1.5 times."
    yield ""
    yield "| question | before ms | after ms | ratio |"
    yield "|---|---|---|---|"
    for each in figures.cold:
        ratio = each.median_ms / each.tenth_ms
        yield f"| {each.name} | {each.tenth_ms:.2f} | {each.median_ms:.2f} | {ratio:.2f} |"
    yield ""


def _warm(figures: Figures) -> Iterable[str]:
    yield "## Repeated answers"
    yield ""
    yield (
        "Requests per second over 16 connections, aggregates kept in the cache, against a bare "
        "Starlette application that returns the same bytes."
    )
    yield ""
    yield "| question | gateway /s | bare /s | ratio | bytes |"
    yield "|---|---|---|---|---|"
    for each in figures.warm:
        ratio = each.per_second / each.bare_per_second
        yield (
            f"| {each.name} | {each.per_second:,.0f} | {each.bare_per_second:,.0f} |"
            f" {ratio:.2f} | {each.answer_bytes:,} |"
        )
    yield ""


def _layers(figures: Figures) -> Iterable[str]:
    yield "## Middleware"
    yield ""
    yield "Processor time around a ready answer, from the inside out, without the HTTP server."
    yield ""
    yield "| layer | µs |"
    yield "|---|---|"
    yield from (f"| {name} | {cost_us:.1f} |" for name, cost_us in figures.layers)
    yield f"| all of it | {sum(cost_us for _, cost_us in figures.layers):.1f} |"
    yield ""


def _ingest(figures: Figures) -> Iterable[str]:
    taken = figures.ingest
    yield "## Ingest and memory"
    yield ""
    yield "Through HTTP, acknowledged after commit, all roll-ups kept."
    yield ""
    full, single = taken.full, taken.single
    rows = (
        (f"events in batches of {EVENTS_PER_BATCH:,}", f"{full.per_second:,.0f}/s"),
        ("a batch, median and p99", _latency(full)),
        ("gateway CPU per event", f"{taken.gateway_cpu_us:.0f} µs"),
        ("Postgres CPU per event", f"{taken.postgres_cpu_us:.0f} µs"),
        ("single events, 16 connections", f"{single.per_second:,.0f}/s"),
        ("a single event, median and p99", _latency(single)),
        ("gateway memory after the queries", f"{figures.memory_mb:.0f} MB"),
        ("gateway memory after the ingest", f"{taken.memory_mb:.0f} MB"),
    )
    yield "| what | figure |"
    yield "|---|---|"
    yield from (f"| {what} | {figure} |" for what, figure in rows)
    yield ""


def _latency(rate: Rate) -> str:
    return f"{rate.median_ms:.1f} ms, {rate.percentile_ms(0.99):.1f} ms"
