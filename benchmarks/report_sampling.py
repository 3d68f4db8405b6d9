"""The part of the report about samples of the host."""

from collections.abc import Iterator

from benchmarks.sampling import Sampling
from benchmarks.tables import FIGURE_HEADS, figure, table
from gateway.observability.host_samples import SHORTEST_SECONDS

CPU_SHARE = 0.02
MEMORY_MB = 50
ROUND_MS = 100
HOUR_MB = 1


def host(found: Sampling) -> Iterator[str]:
    yield "## Samples of the host"
    yield ""
    yield (
        f"The gateway reads {found.figures} figures of its host and itself, and stores them as "
        "samples. A quiet host is sampled at the longest pause. The processor time is that of the "
        "gateway and of Postgres."
    )
    yield ""
    yield from table(*FIGURE_HEADS)
    yield figure(
        f"CPU at the shortest pause, {SHORTEST_SECONDS:.0f} s",
        f"{found.share:.2%} of a core",
        f"under {CPU_SHARE:.0%}",
        found.share < CPU_SHARE,
    )
    yield figure(
        "memory added", f"{found.memory_mb:.1f} MB", f"{MEMORY_MB} MB", found.memory_mb <= MEMORY_MB
    )
    yield figure(
        "a sample, until it is committed, median and p95",
        f"{found.rounds.median_ms:.1f} ms, {found.rounds.p95_ms:.1f} ms",
        f"p95 under {ROUND_MS} ms",
        found.rounds.p95_ms < ROUND_MS,
    )
    for pause, stored in found.hour_bytes.items():
        yield figure(
            f"disk for an hour with pauses of {pause:.0f} s, roll-ups and indexes included",
            f"{stored / 1e6:.2f} MB",
            f"under {HOUR_MB} MB",
            stored < HOUR_MB * 1e6,
        )
    yield ""
