"""The part of the report about log lines."""

from collections.abc import Iterator

from benchmarks.log_lines import LogLines
from benchmarks.tables import met, row, table

SEARCH_MS = 5_000


def log_lines(found: LogLines) -> Iterator[str]:
    yield "## Log lines"
    yield ""
    yield (
        f"Searches over {found.lines:,} lines, with the total, caches off. A line takes "
        f"{found.row_bytes:.0f} bytes on disk for its row and {found.text_bytes:.0f} for its text, "
        "with all indexes."
    )
    yield ""
    yield from table("question", "median ms", "p95 ms", "goal ms", "")
    for question, times in found.searched:
        is_met = met(times.p95_ms <= SEARCH_MS)
        timing = (f"{times.median_ms:.1f}", f"{times.p95_ms:.1f}", f"p95 {SEARCH_MS:,}")
        yield row((question.name, *timing, is_met))
    yield ""
