"""lambda-perf: the cold starts of AWS Lambda functions, measured every day.

A file is a day; each of its rows has the initialisation times of a function's cold starts, and
the means of their durations and memory. Docs: docs/import.md.
"""

from collections.abc import Iterable
from typing import Any

from ingest.importers.events import ImportedEvent
from ingest.importers.facts import Events
from ingest.importers.files import BadRow, Part, Row, document_rows, number

PROJECT = "lambda-perf"

_BYTES_PER_MB = 2**20


def _functions(document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    day = {"generatedAt": document["metadata"]["generatedAt"]}
    return [function | day for function in document["runtimeData"]]


def _invocations(row: Row) -> list[ImportedEvent]:
    """An invocation for each measured initialisation time, at the only time that is recorded."""
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


LAMBDA_PERF = Events(
    "lambda-perf",
    "cold starts of 584 functions on AWS Lambda, June 2025",
    lambda: [Part("functions/lambda-perf/*.json", _invocations, document_rows(_functions))],
)
