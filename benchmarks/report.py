"""RESULTS.md: the figures of one run as tables, each beside its goal."""

import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.backends import Backends
from benchmarks.busy import Busy
from benchmarks.cold import Cold
from benchmarks.comparison import Compared
from benchmarks.effort import Effort
from benchmarks.errors import Errors
from benchmarks.ingest import Ingest
from benchmarks.invocations import Invocations
from benchmarks.layers import Layer
from benchmarks.live import Live
from benchmarks.log_lines import LogLines
from benchmarks.misses import Miss
from benchmarks.report_errors import errors
from benchmarks.report_intake import intake, subscribers
from benchmarks.report_invocations import functions
from benchmarks.report_log_lines import log_lines
from benchmarks.report_questions import first_requests, peers, postgres_memory, questions
from benchmarks.report_sampling import host
from benchmarks.report_serving import meanwhile, middleware, viewers
from benchmarks.sampling import Sampling
from benchmarks.shared import Shared

MARKER = "<!-- What stands below this line is written by hand and kept. -->"


@dataclass(frozen=True, slots=True)
class Figures:
    """All measurements of one run."""

    deployments: int
    invocations: int
    effort: Effort
    seconds: float
    misses: list[Miss]
    cold: list[Cold]
    compared: list[Compared]
    shared: list[Shared]
    busy: Busy
    backends: Backends
    layers: list[Layer]
    live: Live
    ingest: Ingest
    functions: Invocations
    errors: Errors
    log_lines: LogLines
    sampling: Sampling
    memory_mb: float


def write(figures: Figures, path: Path) -> None:
    """Writes the tables anew; the text below the marker stays."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    notes = before.partition(MARKER)[2] or "\n"
    text = "\n".join(lines(figures))
    path.write_text(f"{text}\n{MARKER}{notes}", encoding="utf-8")


def lines(figures: Figures) -> Iterable[str]:
    """The whole report."""
    yield "# Benchmark results"
    yield ""
    yield (
        f"`make bench N={figures.deployments} INVOCATIONS={figures.invocations}` on "
        f"{datetime.now(UTC):%Y-%m-%d}, {figures.seconds / 60:.0f} minutes, "
        f"Python {platform.python_version()}, embedded "
        "PostgreSQL and Redis, gateway, servers and load on the same two cores. Absolute times "
        "vary with the machine; the ratios were taken in one run, each side in turn with its "
        "floor. CPU is the processor time of the processes named, and of no other."
    )
    yield ""
    yield (
        "The data is spread like that of a platform: 1,000 projects, the second with half of the "
        "deployments of the first, the third with a third; the ten largest deploy 40 templates of "
        "8 frameworks to 6 networks in 3 environments, 240 series each. Ranges of one to six weeks "
        "begin and end at any minute, one in four still runs, and larger projects are asked for "
        "more often."
    )
    yield ""
    yield from questions(figures.misses, figures.deployments)
    yield from first_requests(figures.cold, figures.effort.starts)
    yield from peers(figures.compared)
    yield from viewers(figures.shared)
    yield from meanwhile(figures.busy)
    yield from postgres_memory(figures.backends)
    yield from middleware(figures.layers)
    yield from subscribers(figures.live)
    yield from intake(figures.ingest, figures.memory_mb)
    yield from functions(figures.functions, figures.invocations)
    yield from errors(figures.errors)
    yield from log_lines(figures.log_lines)
    yield from host(figures.sampling)
