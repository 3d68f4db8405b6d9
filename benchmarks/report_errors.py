"""The part of the report about errors."""

from collections.abc import Iterator

from benchmarks.errors import ENVELOPE_CONNECTIONS, OTHERS_PER_SECOND, Errors
from benchmarks.ingest import BATCH_CONNECTIONS, EVENTS_PER_BATCH
from benchmarks.report_intake import GATEWAY_MB, cpu, latency
from benchmarks.seed_errors import ERRORS
from benchmarks.tables import FIGURE_HEADS, figure, met, row, table

OCCURRENCES_PER_SECOND = 3_000
EVENT_BYTES = 260
FLOOD_MB = 5
SEARCH_MS = 1_000


def errors(found: Errors) -> Iterator[str]:
    yield "## Errors"
    yield ""
    yield (
        "Occurrences with bodies of about 5 KB, of twenty errors in each of 1,000 projects, are "
        "scrubbed, grouped and counted by one process, and acknowledged after commit."
    )
    yield ""
    yield from table(*FIGURE_HEADS)
    yield from _intake(found)
    yield from _flood(found)
    yield ""
    yield (
        f"Questions with caches off; searches over {found.flood.sent:,} further bodies of "
        f"{ERRORS:,} errors, in all projects."
    )
    yield ""
    yield from table("question", "median ms", "p95 ms", "goal ms", "")
    for question, times in found.read:
        yield row((question.name, f"{times.median_ms:.1f}", f"{times.p95_ms:.1f}", "", ""))
    for question, times in found.searched:
        is_met = met(times.p95_ms <= SEARCH_MS)
        timing = (f"{times.median_ms:.1f}", f"{times.p95_ms:.1f}", f"p95 {SEARCH_MS:,}")
        yield row((question.name, *timing, is_met))
    yield ""


def _intake(found: Errors) -> Iterator[str]:
    rate = found.full.rate
    yield figure(
        f"occurrences in batches of {EVENTS_PER_BATCH:,}, {BATCH_CONNECTIONS} connections",
        f"{rate.per_second:,.0f}/s",
        f"{OCCURRENCES_PER_SECOND:,}/s",
        rate.per_second >= OCCURRENCES_PER_SECOND,
    )
    yield figure("a batch, median and p99", latency(rate))
    yield figure("CPU per occurrence, gateway and Postgres", cpu(found.full))
    yield figure(
        f"envelopes of one event, {ENVELOPE_CONNECTIONS} connections",
        f"{found.envelopes.per_second:,.0f}/s",
    )
    yield figure("an envelope, median and p99", latency(found.envelopes))
    yield figure(
        "bytes on disk per occurrence, with both indexes",
        f"{found.occurrence_bytes:.0f}",
        f"{EVENT_BYTES}",
        found.occurrence_bytes <= EVENT_BYTES,
    )
    yield figure("bytes on disk per body kept, with all indexes", f"{found.body_bytes:,.0f}")
    yield figure(
        "gateway memory afterwards",
        f"{found.memory_mb:.0f} MB",
        f"{GATEWAY_MB} MB",
        found.memory_mb <= GATEWAY_MB,
    )


def _flood(found: Errors) -> Iterator[str]:
    flood, megabytes = found.flood, found.flood.body_bytes / 1e6
    yield figure(
        f"a flood of {flood.sent:,} occurrences of one error: counted of it",
        f"{flood.counted:,}",
        f"{flood.sent:,}",
        flood.counted == flood.sent,
    )
    yield figure("its rate", f"{flood.taken_in.rate.per_second:,.0f}/s")
    yield figure(
        f"its {flood.bodies:,} bodies",
        f"{megabytes:.1f} MB",
        f"{FLOOD_MB} MB",
        megabytes <= FLOOD_MB,
    )
    yield figure(
        f"single events of other projects meanwhile, {OTHERS_PER_SECOND:.0f} a second",
        latency(flood.others),
    )
