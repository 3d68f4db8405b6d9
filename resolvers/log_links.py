"""The log lines of other things: of deployments, functions and occurrences of errors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from resolvers.context import Context
from resolvers.entities import Deployment
from resolvers.error_occurrences import ErrorOccurrence, body, latest_occurrence
from resolvers.errors import Error
from resolvers.log_lines import LogLine
from resolvers.names import Function
from resolvers.pages import page_size
from storage.facts.log_lines import LOG_LINES
from storage.queries.errors.related import related
from storage.queries.keyed import Newest, newest
from storage.queries.log_lines import AROUND_BY_DEPLOYMENT, AROUND_BY_ENVIRONMENT, OF_FUNCTION

# Without a trace, lines around an occurrence are taken.
BEFORE, AFTER = timedelta(minutes=1), timedelta(seconds=5)


async def of_deployment(context: Context, deployment: Deployment, first: int) -> list[LogLine]:
    """Returns the newest lines that name a deployment, or come from its release."""
    row = deployment.row
    return await _newest(context, "deployment_id", (row["project_id"], row["deployment_id"]), first)


async def of_function(context: Context, function: Function, first: int) -> list[LogLine]:
    """Returns the newest lines that a function wrote."""
    loader = context.loaders.of(related, OF_FUNCTION, page_size(first))
    return _lines(await loader.load((function.project_id, function.number)))


async def of_error(context: Context, error: Error, first: int) -> list[LogLine]:
    """Returns the newest lines of the latest occurrence."""
    occurrence = await latest_occurrence(context, error)
    return [] if occurrence is None else await of_occurrence(context, occurrence, first)


async def of_occurrence(context: Context, occurrence: ErrorOccurrence, first: int) -> list[LogLine]:
    """Returns the newest lines of its trace; without one, those around it.

    These are of its deployment, or if that is unknown of its environment.
    """
    sent = await body(context, occurrence)
    trace = sent and _trace_of(sent.content)
    if trace:
        return await _newest(context, "trace_id", (occurrence.project_id, trace), first)
    project_id, at, _ = occurrence.key
    deployment, environment = occurrence.row["deployment_id"], occurrence.row["environment_id"]
    kind = AROUND_BY_DEPLOYMENT if deployment else AROUND_BY_ENVIRONMENT
    loader = context.loaders.of(related, kind, page_size(first))
    key = project_id, at - BEFORE, at + AFTER, deployment or environment or None
    return _lines(await loader.load(key))


def _trace_of(content: dict[str, Any]) -> str | None:
    """The id of the trace in a body, as lines have it."""
    contexts = content.get("contexts")
    trace = contexts.get("trace") if isinstance(contexts, dict) else None
    found = trace.get("trace_id") if isinstance(trace, dict) else None
    return found.lower() if isinstance(found, str) and found else None


async def _newest(context: Context, column: str, key: Any, first: int) -> list[LogLine]:
    wanted = Newest(LOG_LINES, ("project_id", column), page_size(first))
    return _lines(await context.loaders.of(newest, wanted).load(key))


def _lines(rows: Sequence[Any] | None) -> list[LogLine]:
    return [LogLine(row, None) for row in rows or ()]
