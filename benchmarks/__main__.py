"""Runs the benchmark: `python -m benchmarks N=1000000 INVOCATIONS=10000000 PEERS=1`; a whole run
writes RESULTS.md."""

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
from benchmarks.errors import errors
from benchmarks.ingest import ingest
from benchmarks.invocations import invocations
from benchmarks.layers import layers
from benchmarks.live import live
from benchmarks.log_lines import log_lines
from benchmarks.misses import misses
from benchmarks.population import DAYS, YEAR_DAYS
from benchmarks.processes import servers, temporary_folder
from benchmarks.report import Figures, lines, write
from benchmarks.sampling import sampling
from benchmarks.shared import shared
from benchmarks.stage import Stage, Volume, build

DEFAULT_DEPLOYMENTS = 1_000_000
LEAST_DEPLOYMENTS = 10_000


def main() -> None:
    asked = _arguments(sys.argv[1:])
    figures = asyncio.run(_run(asked["N"], asked["INVOCATIONS"], with_peers=bool(asked["PEERS"])))
    print("\n".join(lines(figures)))
    if figures.deployments >= DEFAULT_DEPLOYMENTS:
        write(figures, Path(__file__).with_name("RESULTS.md"))
    else:
        print(f"A quick look: RESULTS.md is written from N={DEFAULT_DEPLOYMENTS} on.")


def _arguments(given: Sequence[str]) -> dict[str, int]:
    """N= deployments, INVOCATIONS= of functions (as many by default), and PEERS=1 for a comparison
    with PostGraphile, which npm installs."""
    asked = {"N": DEFAULT_DEPLOYMENTS, "INVOCATIONS": 0, "PEERS": 0}
    for argument in given:
        name, _, value = argument.partition("=")
        if name not in asked or not value.isdigit():
            sys.exit(f"{argument!r} is not understood: say N=1000000 INVOCATIONS=1000000 PEERS=1")
        asked[name] = int(value)
    if asked["N"] < LEAST_DEPLOYMENTS:
        sys.exit(f"N must be at least {LEAST_DEPLOYMENTS}")
    asked["INVOCATIONS"] = max(asked["INVOCATIONS"] or asked["N"], LEAST_DEPLOYMENTS)
    return asked


async def _run(deployments: int, invoked: int, *, with_peers: bool) -> Figures:
    began, now, effort = time.perf_counter(), datetime.now(UTC), effort_for(deployments)
    with temporary_folder() as folder, servers(folder) as started:

        async def filled(name: str, days: int = DAYS, **rows: int) -> Stage:
            return await build(started, folder, Volume(name, rows, days), now)

        small = await filled("small", deployment=deployments // 10)
        large = await filled("large", deployment=deployments)
        computed = await misses(small, large, effort)
        first = await cold(large, effort)
        compared = await compare(large, effort) if with_peers else []
        kept, memory_mb = await shared(large, effort)
        some = deployments // 10
        year = await filled("year", YEAR_DAYS, deployment=some, invocation=some)
        questioned = await backends(year, effort)
        followed = await live(large, effort)
        meanwhile = await busy(large, effort)
        taken_in = await ingest(large, effort)
        failed = await errors(await filled("errors", deployment=some), effort, deployments)
        searched = await log_lines(await filled("logs", deployment=some), effort, deployments)
        sampled = await sampling(large)
        called = await invocations(await filled("functions", invocation=invoked), effort)
    stack = await layers()
    took = time.perf_counter() - began
    return Figures(
        deployments=deployments,
        invocations=invoked,
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
        functions=called,
        errors=failed,
        log_lines=searched,
        sampling=sampled,
        memory_mb=memory_mb,
    )


if __name__ == "__main__":
    main()
