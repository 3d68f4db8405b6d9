"""The part of the report about function invocations."""

from collections.abc import Iterator

from benchmarks.ingest import BATCH_CONNECTIONS, EVENTS_PER_BATCH
from benchmarks.invocations import Invocations
from benchmarks.report_intake import GATEWAY_MB, cpu, latency
from benchmarks.tables import FIGURE_HEADS, figure, met, row, table

EVENTS_PER_SECOND = 12_000
EVENT_BYTES = 260


def functions(found: Invocations, rows: int) -> Iterator[str]:
    yield f"## Function invocations, {rows:,} of them"
    yield ""
    yield (
        "In a database of their own, spread like the deployments: up to 20 functions in 4 regions "
        "and 3 environments. Questions as above, caches off, about 30 days that begin and end at "
        "any minute, mostly of another project each time. Goal of the median: twice the SQL + 1 ms."
    )
    yield ""
    yield from table(
        "question",
        "median ms",
        "p95 ms",
        "SQL ms",
        "SQL p95 ms",
        "goal ms",
        "",
        "under load /s",
        "gateway CPU ms",
        "Postgres CPU ms",
    )
    for each in found.read:
        own, sql, load = each.floor.own, each.floor.other, each.load
        yield row(
            (
                each.question.name,
                f"{own.median_ms:.2f}",
                f"{own.p95_ms:.2f}",
                f"{sql.median_ms:.2f}",
                f"{sql.p95_ms:.2f}",
                f"{each.goal_ms:.2f}",
                met(own.median_ms <= each.goal_ms),
                f"{load.per_second:,.0f}",
                f"{load.cpu_ms(load.used.gateway):.2f}",
                f"{load.cpu_ms(load.used.postgres):.2f}",
            )
        )
    yield ""
    yield "Intake goes through HTTP into one process, acknowledged after commit, all roll-ups kept."
    yield ""
    yield from table(*FIGURE_HEADS)
    rate = found.intake.rate
    yield figure(
        f"events in batches of {EVENTS_PER_BATCH:,}, {BATCH_CONNECTIONS} connections",
        f"{rate.per_second:,.0f}/s",
        f"{EVENTS_PER_SECOND:,}/s",
        rate.per_second >= EVENTS_PER_SECOND,
    )
    yield figure("a batch, median and p99", latency(rate))
    yield figure("CPU per event, gateway and Postgres", cpu(found.intake))
    yield figure(
        "bytes on disk per event taken in, with both indexes",
        f"{found.event_bytes:.0f}",
        f"{EVENT_BYTES}",
        found.event_bytes <= EVENT_BYTES,
    )
    yield figure(
        "gateway memory afterwards",
        f"{found.memory_mb:.0f} MB",
        f"{GATEWAY_MB} MB",
        found.memory_mb <= GATEWAY_MB,
    )
    yield ""
