"""Every mutation leaves an entry in the audit log, whatever becomes of it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog

from resolvers.context import Context, Trail
from storage.admin import audit
from storage.admin.audit import BEGUN, OK, AuditRecord
from storage.errors import GatewayError, InvalidInput, Overloaded, Timeout, Unavailable

INTERNAL = "INTERNAL"
MAX_DETAILS_BYTES = 4096
MAX_TARGET_LENGTH = 300

# What says best what a mutation was about.
_TARGETS = ("slug", "name", "budget", "id", "project")
_SECRET_WORDS = ("secret", "token", "password", "authorization", "key")
# Values that are secrets whatever their name: signed tokens, and passwords in addresses.
_SECRETS = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=://)[^/@\s]+(?=@)")
# After these nobody was told what became of the changes.
_FAULTS = (INTERNAL, Timeout.code, Unavailable.code, Overloaded.code)
_EVENTS = ("recordDeployment", "recordDeploymentEvents")

log = structlog.get_logger(component="audit")


@dataclass(slots=True)
class Outcome:
    """What became of it, a code where it failed, and what more there is to tell."""

    code: str = OK
    details: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def audited(
    context: Context, name: str, arguments: Mapping[str, Any]
) -> AsyncIterator[Outcome]:
    """An entry is there before anything is done; what is done without one cannot be."""
    async with context.services.database.connection() as connection:
        entry = _entry(context, name, arguments)
        (entry_id,) = await audit.add(connection, [entry], context.services.clock())
    trail = context.trail = Trail(entry_id)
    outcome = Outcome()
    try:
        yield outcome
    except BaseException as error:
        outcome.code = _code(error)
        raise
    finally:
        context.trail = None
        await _end(context, trail, outcome)


async def _end(context: Context, trail: Trail, outcome: Outcome) -> None:
    """Say how it ended, unless its own transaction has said it all."""
    code, details = outcome.code, outcome.details
    if trail.is_settled:
        if code == OK and not details:
            return
        if code in _FAULTS:  # the changes were made; only the answer failed
            code, details = OK, details | {"answer": code}
    try:
        async with context.services.database.connection() as connection:
            await audit.end(connection, trail.entry_id, code, details)
    except (GatewayError, OSError) as error:  # the entry says that it was begun
        log.warning("outcome_not_recorded", entry=trail.entry_id, reason=str(error))


def _code(error: BaseException) -> str:
    if isinstance(error, GatewayError):
        return error.code
    if isinstance(error, asyncio.CancelledError):  # only the deadline ends a mutation
        return Timeout.code
    if extensions := getattr(error, "extensions", None):  # of a value that GraphQL refused
        return str(extensions.get("code", InvalidInput.code))
    return INTERNAL


def counts(results: Sequence[Any]) -> dict[str, int]:
    """How many events had which fate."""
    return dict(Counter(str(result.status) for result in results))


def _entry(context: Context, name: str, arguments: Mapping[str, Any]) -> AuditRecord:
    return AuditRecord(
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
                return _SECRETS.sub("…", value)[:MAX_TARGET_LENGTH]
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
    return _SECRETS.sub("…", str(value))


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _bounded(details: dict[str, Any]) -> dict[str, Any]:
    try:
        size_bytes = len(orjson.dumps(audit.fitting(details)))
    except TypeError:  # a whole number over 64 bits
        return {"unreadable": True}
    return details if size_bytes <= MAX_DETAILS_BYTES else {"truncated": True, "bytes": size_bytes}
