"""Run the benchmark: `python -m benchmarks N=1000000`. A whole run writes benchmarks/RESULTS.md."""

import asyncio
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.backends import backends
from benchmarks.busy import busy
from benchmarks.cold import cold
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


def main() -> None:
    deployments = DEFAULT_DEPLOYMENTS
    for argument in sys.argv[1:]:
        name, _, value = argument.partition("=")
        if name != "N" or not value.isdigit() or int(value) < 1_000:
            sys.exit(f"{argument!r} is not understood: say N=1000000 (at least 1000)")
        deployments = int(value)
    figures = asyncio.run(_run(deployments))
    print("\n".join(lines(figures)))
    if deployments >= DEFAULT_DEPLOYMENTS:
        write(figures, Path(__file__).with_name("RESULTS.md"))
    else:
        print(f"A quick look: RESULTS.md is written from N={DEFAULT_DEPLOYMENTS} on.")


async def _run(deployments: int) -> Figures:
    began, now, effort = time.perf_counter(), datetime.now(UTC), effort_for(deployments)
    with temporary_folder() as folder, servers(folder) as started:
        small = await build(started, folder, Volume("small", deployments // 10), now)
        large = await build(started, folder, Volume("large", deployments), now)
        computed = await misses(small, large, effort)
        first = await cold(large, effort)
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
