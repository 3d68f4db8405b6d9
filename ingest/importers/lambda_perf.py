"""lambda-perf: the cold starts of AWS Lambda functions, measured every day.

A file is a day; each of its rows has the initialisation times of a function's cold starts, and
the means of their durations and memory. Docs: docs/import.md.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ingest.importers.events import ImportedEvent
from ingest.importers.files import BadRow, Problem, Row, document_rows, number, read_rows

DAYS = "functions/lambda-perf/*.json"
PROJECT = "lambda-perf"

_BYTES_PER_MB = 2**20


def read(source: Path) -> Iterator[ImportedEvent | Problem]:
    """Yields an invocation for each measured initialisation time."""
    yield from read_rows(source, DAYS, _invocations, document_rows(_functions))


def _functions(document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    day = {"generatedAt": document["metadata"]["generatedAt"]}
    return [function | day for function in document["runtimeData"]]


def _invocations(row: Row) -> list[ImportedEvent]:
    """Its invocations, all at the time of the day's report, since no other is recorded."""
    at, function, init_ms = row.moment("generatedAt"), row.text("r"), row.values.get("i")
    if not isinstance(init_ms, list):
        raise BadRow("i is not a list")
    common = {
        "type": "function.completed",
        "source": PROJECT,
        "project": PROJECT,
        "function": function,
        "runtime": row.text("d"),
        "status": "success",
        "coldStart": True,
        "durationMs": row.number("ad"),
        "memoryBytes": round(row.number("mu") * _BYTES_PER_MB),
    }
    return [
        ImportedEvent(
            row.location,
            at,
            common | {"id": f"{at:%Y-%m-%d}:{function}:{position}", "initMs": number(each, "i")},
        )
        for position, each in enumerate(init_ms)
    ]
