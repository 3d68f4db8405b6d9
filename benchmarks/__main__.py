"""Runs the benchmark: `python -m benchmarks N=1000000 INVOCATIONS=10000000 PARTS=errors,logs`; with
a million deployments or more, RESULTS.md gets the figures."""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.effort import effort_for
from benchmarks.parts import ONLY_ASKED, PARTS, Bench
from benchmarks.processes import servers, temporary_folder
from benchmarks.report import section, write

DEFAULT_DEPLOYMENTS = 1_000_000
LEAST_DEPLOYMENTS = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for: parts, deployments, and invocations of functions."""

    parts: tuple[str, ...]
    deployments: int
    invocations: int


def main() -> None:
    asked = asked_for(sys.argv[1:])
    sections = asyncio.run(_run(asked))
    print("\n".join(sections.values()))
    if asked.deployments >= DEFAULT_DEPLOYMENTS:
        write(sections, Path(__file__).with_name("RESULTS.md"))
    else:
        print(f"A quick look: RESULTS.md is written from N={DEFAULT_DEPLOYMENTS} on.")


def asked_for(given: Sequence[str]) -> Asked:
    """N= deployments, INVOCATIONS= of functions (as many by default), PARTS= of the report (all but
    the comparison with PostGraphile, which npm installs)."""
    values = {"N": str(DEFAULT_DEPLOYMENTS), "INVOCATIONS": "", "PARTS": ""}
    for argument in given:
        name, _, value = argument.partition("=")
        if name not in values:
            sys.exit(f"{argument!r} is not understood: say N=1000000 INVOCATIONS=1000000 PARTS=...")
        values[name] = value
    parts = tuple(values["PARTS"].split(",")) if values["PARTS"] else _usual()
    if unknown := [part for part in parts if part not in PARTS]:
        sys.exit(f"There is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    deployments = _number("N", values["N"])
    return Asked(parts, deployments, _number("INVOCATIONS", values["INVOCATIONS"] or values["N"]))


def _usual() -> tuple[str, ...]:
    return tuple(part for part in PARTS if part != ONLY_ASKED)


def _number(name: str, value: str) -> int:
    if not value.isdigit() or int(value) < LEAST_DEPLOYMENTS:
        sys.exit(f"{name} must be a number of at least {LEAST_DEPLOYMENTS}, not {value!r}")
    return int(value)


async def _run(asked: Asked) -> dict[str, str]:
    """The section of each part, by its name."""
    found = {}
    with temporary_folder() as folder, servers(folder) as started:
        effort = effort_for(asked.deployments)
        now = datetime.now(UTC)
        bench = Bench(started, folder, now, asked.deployments, asked.invocations, effort)
        for name in asked.parts:
            began = time.perf_counter()
            tables = list(await PARTS[name](bench))
            found[name] = section(name, tables, bench, time.perf_counter() - began)
    return found


if __name__ == "__main__":
    main()
