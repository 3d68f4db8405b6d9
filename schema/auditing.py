"""Puts every mutation into the audit log, in one place, so that no resolver can forget it."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

import strawberry

from ingest.events import EventStatus
from resolvers.recording_audit import Outcome, counts
from resolvers.recording_audit import audited as recorded
from schema.internals import core


def audited(schema: strawberry.Schema) -> strawberry.Schema:
    """The schema with all its mutations audited, those that are refused as well."""
    mutations = core(schema).mutation_type
    assert mutations is not None
    for name, definition in mutations.fields.items():
        assert definition.resolve is not None
        definition.resolve = _audited(name, definition.resolve)
    return schema


def _audited(name: str, resolve: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def audit(source: Any, info: Any, **arguments: Any) -> Any:
        async with recorded(info.context, name, arguments) as outcome:
            payload = resolve(source, info, **arguments)
            if isawaitable(payload):
                payload = await payload
            _tell(outcome, payload)
        return payload

    return audit


def _tell(outcome: Outcome, payload: Any) -> None:
    """What the payload says: of events how many had which fate; some of them make it a success."""
    results = getattr(payload, "results", None) or [getattr(payload, "result", None)]
    if results[0] is not None:
        outcome.details = counts(results)
    errors = getattr(payload, "user_errors", None)
    if errors and all(
        result is None or result.status is EventStatus.REJECTED for result in results
    ):
        outcome.code = errors[0].code
