"""The parts of the benchmark: what each measures, on databases of which size, and its tables."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path

from benchmarks import (
    report_alerts,
    report_errors,
    report_intake,
    report_invocations,
    report_log_lines,
    report_pages,
    report_questions,
    report_sampling,
    report_serving,
)
from benchmarks.alert_flood import alert_flood
from benchmarks.alert_latency import alert_latency
from benchmarks.alerts import alerts
from benchmarks.backends import backends
from benchmarks.busy import busy
from benchmarks.cold import cold
from benchmarks.comparison import compare
from benchmarks.effort import Effort
from benchmarks.errors import errors
from benchmarks.ingest import ingest
from benchmarks.invocations import invocations
from benchmarks.layers import layers
from benchmarks.live import live
from benchmarks.log_lines import log_lines
from benchmarks.misses import misses
from benchmarks.pages import pages
from benchmarks.population import DAYS, YEAR_DAYS
from benchmarks.previews import previews
from benchmarks.processes import Servers
from benchmarks.sampling import sampling
from benchmarks.shared import shared
from benchmarks.stage import Stage, Volume, build

Lines = Iterable[str]


@dataclass(slots=True)
class Bench:
    """A run of the benchmark: its servers, its size, and the databases filled so far."""

    servers: Servers
    folder: Path
    now: datetime
    deployments: int
    invocations: int
    effort: Effort
    _stages: dict[str, Stage] = field(default_factory=dict)

    async def large(self) -> Stage:
        return await self.filled("large", deployment=self.deployments)

    async def filled(self, name: str, days: int = DAYS, **rows: int) -> Stage:
        """The database of a name, filled when it is first asked for."""
        if name not in self._stages:
            volume = Volume(name, rows, days)
            self._stages[name] = await build(self.servers, self.folder, volume, self.now)
        return self._stages[name]

    @property
    def some(self) -> int:
        """The deployments of a database that is about something else."""
        return self.deployments // 10


async def _questions(bench: Bench) -> Lines:
    small = await bench.filled("small", deployment=bench.some)
    found = await misses(small, await bench.large(), bench.effort)
    first = await cold(await bench.large(), bench.effort)
    return chain(
        report_questions.questions(found, bench.deployments),
        report_questions.first_requests(first, bench.effort.starts),
    )


async def _peers(bench: Bench) -> Lines:
    return report_questions.peers(await compare(await bench.large(), bench.effort))


async def _serving(bench: Bench) -> Lines:
    large = await bench.large()
    kept, memory_mb = await shared(large, bench.effort)
    followed = await live(large, bench.effort)
    meanwhile = await busy(large, bench.effort)
    taken_in = await ingest(large, bench.effort)
    return chain(
        report_serving.viewers(kept),
        report_serving.meanwhile(meanwhile),
        report_intake.subscribers(followed),
        report_intake.intake(taken_in, memory_mb),
    )


async def _backends(bench: Bench) -> Lines:
    rows = {"deployment": bench.some, "invocation": bench.some}
    year = await bench.filled("year", YEAR_DAYS, **rows)
    return report_questions.postgres_memory(await backends(year, bench.effort))


async def _middleware(_bench: Bench) -> Lines:
    return report_serving.middleware(await layers())


async def _functions(bench: Bench) -> Lines:
    stage = await bench.filled("functions", invocation=bench.invocations)
    return report_invocations.functions(await invocations(stage, bench.effort), bench.invocations)


async def _errors(bench: Bench) -> Lines:
    stage = await bench.filled("errors", deployment=bench.some)
    return report_errors.errors(await errors(stage, bench.effort, bench.deployments))


async def _logs(bench: Bench) -> Lines:
    stage = await bench.filled("logs", deployment=bench.some)
    return report_log_lines.log_lines(await log_lines(stage, bench.effort, bench.deployments))


async def _alerts(bench: Bench) -> Lines:
    rows = {"deployment": bench.some, "invocation": bench.some}
    stage = await bench.filled("alerts", **rows)
    ticks = await alerts(stage, bench.effort)
    played = await previews(stage, bench.effort)
    latency = await alert_latency(stage, bench.effort.rounds)
    return report_alerts.alerts(ticks, latency, played, await alert_flood(stage))


async def _host(bench: Bench) -> Lines:
    stage = await bench.filled("host", deployment=bench.some)
    return report_sampling.host(await sampling(stage))


async def _pages(bench: Bench) -> Lines:
    stage = await bench.filled("pages", deployment=bench.deployments, invocation=bench.some)
    found = await pages(stage, bench.effort)
    return report_pages.pages(found, bench.deployments)


# In the order of the report.
PARTS: Mapping[str, Callable[[Bench], Awaitable[Lines]]] = {
    "questions": _questions,
    "peers": _peers,
    "serving": _serving,
    "backends": _backends,
    "middleware": _middleware,
    "functions": _functions,
    "errors": _errors,
    "logs": _logs,
    "alerts": _alerts,
    "host": _host,
    "pages": _pages,
}
# Measured only when asked for: npm installs what it compares with.
ONLY_ASKED = "peers"
