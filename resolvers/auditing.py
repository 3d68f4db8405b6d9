"""Every mutation leaves an entry in the audit log, whatever becomes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from resolvers.context import Context
from storage import audit
from storage.audit import BEGUN, OK, Entry
from storage.errors import GatewayError

INTERNAL = "INTERNAL"
MAX_DETAILS_BYTES = 4096
MAX_TARGET_LENGTH = 300

# What says best what a mutation was about.
_TARGETS = ("slug", "name", "budget", "id", "project")
_SECRET_WORDS = ("secret", "token", "password", "authorization", "key")
_EVENTS = ("recordDeployment", "recordDeploymentEvents")

log = structlog.get_logger(component="audit")


@dataclass(slots=True)
class Outcome:
    """What became of it; a code where it failed."""

    code: str = OK


@asynccontextmanager
async def audited(
    context: Context, name: str, arguments: Mapping[str, Any]
) -> AsyncIterator[Outcome]:
    """An entry is there before anything is done; what is done without one cannot be."""
    database = context.services.database
    async with database.connection() as connection:
        entry = _entry(context, name, arguments)
        (entry_id,) = await audit.add(connection, [entry], context.services.clock())
    outcome = Outcome()
    try:
        yield outcome
    except GatewayError as error:
        outcome.code = error.code
        raise
    except BaseException:
        outcome.code = INTERNAL
        raise
    finally:
        try:
            async with database.connection() as connection:
                await audit.end(connection, entry_id, outcome.code)
        except GatewayError as error:  # it has been done, and the entry says that it was begun
            log.warning("outcome_not_recorded", entry=entry_id, reason=error.message)


def _entry(context: Context, name: str, arguments: Mapping[str, Any]) -> Entry:
    return Entry(
        subject=context.viewer.subject,
        token_id=context.viewer.token_id,
        action=f"mutation.{name}",
        outcome=BEGUN,
        target=_target(arguments),
        request_id=context.request_id,
        address=context.address,
        details=_counted(arguments) if name in _EVENTS else _bounded(_shown(arguments)),
    )


def _target(arguments: Mapping[str, Any]) -> str | None:
    places = [arguments, *(value for value in arguments.values() if isinstance(value, Mapping))]
    for name in _TARGETS:
        for place in places:
            if isinstance(value := place.get(name), str):
                return _text(value)[:MAX_TARGET_LENGTH]
    return None


def _counted(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Of events their number: they are kept elsewhere."""
    given = arguments.get("inputs", [arguments.get("input")])
    return {"events": len(given) if isinstance(given, Sequence) else 1}


def _shown(value: Any) -> Any:
    """Without what may be a secret, and as JSON can hold it."""
    if isinstance(value, Mapping):
        return {
            str(name): "…" if _is_secret(str(name)) else _shown(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_shown(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _text(str(value))


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _bounded(details: dict[str, Any]) -> dict[str, Any]:
    try:
        size_bytes = len(orjson.dumps(details))
    except TypeError:  # a whole number over 64 bits
        return {"unreadable": True}
    return details if size_bytes <= MAX_DETAILS_BYTES else {"truncated": True, "bytes": size_bytes}


def _text(value: str) -> str:
    """As Postgres can hold it."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()
