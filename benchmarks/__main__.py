"""Runs the benchmark: `python -m benchmarks N=1000000 PEERS=1`; a whole run writes RESULTS.md."""

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.backends import backends
from benchmarks.busy import busy
from benchmarks.cold import cold
from benchmarks.comparison import compare
from benchmarks.effort import effort_for
from benchmarks.ingest import ingest
from benchmarks.layers import layers
from benchmarks.live import live
from benchmarks.misses import misses
from benchmarks.processes import servers, temporary_folder
from benchmarks.report import Figures, lines, write
from benchmarks.seed import YEAR_DAYS
from benchmarks.shared import shared
from benchmarks.stage import Volume, build

DEFAULT_DEPLOYMENTS = 1_000_000
LEAST_DEPLOYMENTS = 10_000


def main() -> None:
    asked = _arguments(sys.argv[1:])
    figures = asyncio.run(_run(asked["N"], with_peers=bool(asked["PEERS"])))
    print("\n".join(lines(figures)))
    if figures.deployments >= DEFAULT_DEPLOYMENTS:
        write(figures, Path(__file__).with_name("RESULTS.md"))
    else:
        print(f"A quick look: RESULTS.md is written from N={DEFAULT_DEPLOYMENTS} on.")


def _arguments(given: Sequence[str]) -> dict[str, int]:
    """N= deployments, and PEERS=1 for a comparison with PostGraphile, which npm installs."""
    asked = {"N": DEFAULT_DEPLOYMENTS, "PEERS": 0}
    for argument in given:
        name, _, value = argument.partition("=")
        if name not in asked or not value.isdigit():
            sys.exit(f"{argument!r} is not understood: say N=1000000 or PEERS=1")
        asked[name] = int(value)
    if asked["N"] < LEAST_DEPLOYMENTS:
        sys.exit(f"N must be at least {LEAST_DEPLOYMENTS}")
    return asked


async def _run(deployments: int, *, with_peers: bool) -> Figures:
    began, now, effort = time.perf_counter(), datetime.now(UTC), effort_for(deployments)
    with temporary_folder() as folder, servers(folder) as started:
        small = await build(started, folder, Volume("small", deployments // 10), now)
        large = await build(started, folder, Volume("large", deployments), now)
        computed = await misses(small, large, effort)
        first = await cold(large, effort)
        compared = await compare(large, effort) if with_peers else []
        kept, memory_mb = await shared(large, effort)
        year = await build(started, folder, Volume("year", deployments // 10, YEAR_DAYS), now)
        questioned = await backends(year, effort)
        followed = await live(large, effort)
        meanwhile = await busy(large, effort)
        taken_in = await ingest(large, effort)
    stack = await layers()
    took = time.perf_counter() - began
    return Figures(
        deployments=deployments,
        effort=effort,
        seconds=took,
        misses=computed,
        cold=first,
        compared=compared,
        shared=kept,
        busy=meanwhile,
        backends=questioned,
        layers=stack,
        live=followed,
        ingest=taken_in,
        memory_mb=memory_mb,
    )


if __name__ == "__main__":
    main()
