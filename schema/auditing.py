"""Puts every mutation into the audit log, in one place, so that no resolver can forget it."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

import strawberry

from resolvers.auditing import audited as recorded


def audited(schema: strawberry.Schema) -> strawberry.Schema:
    """The schema with all its mutations audited, those that are refused as well."""
    mutations = schema._schema.mutation_type  # Strawberry has no public name for it
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
            if errors := getattr(payload, "user_errors", None):
                outcome.code = errors[0].code
        return payload

    return audit
