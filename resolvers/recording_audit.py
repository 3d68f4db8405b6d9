"""Writes an audit log entry for every mutation, also for one that is refused or fails."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from inspect import isawaitable
from typing import Any

import orjson
import structlog

from ingest.events import EventStatus
from resolvers.context import Context, Trail
from storage.admin import audit
from storage.admin.audit import BEGUN, OK, AuditRecord
from storage.errors import GatewayError, InvalidInput, Overloaded, Timeout, Unavailable

INTERNAL = "INTERNAL"
MAX_DETAILS_BYTES = 4096
MAX_TARGET_LENGTH = 300

# E-mail addresses are stored with members alone.
_SECRET_WORDS = (
    "secret",
    "token",
    "password",
    "authorization",
    "key",
    "email",
    "patterns",
    "userid",
)
# Values that are secrets whatever their name: signed tokens, and passwords in addresses.
_SECRETS = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=://)[^/@\s]+(?=@)")
# After these the client does not know whether the changes were made.
_FAULTS = (INTERNAL, Timeout.code, Unavailable.code, Overloaded.code)

# What people write: it is deleted with its comment, which this log would outlive.
_TEXT = "text"

log = structlog.get_logger(component="audit")


def audited(
    name: str, resolve: Callable[..., Any], targets: Sequence[str], events: str | None
) -> Callable[..., Awaitable[Any]]:
    """Wraps the resolver of a mutation; `targets` and `events` are as `mutation` declares them."""

    async def audit_and_resolve(source: Any, info: Any, **arguments: Any) -> Any:
        async def run() -> Any:
            payload = resolve(source, info, **arguments)
            return await payload if isawaitable(payload) else payload

        details = _counted(arguments[events]) if events else _bounded(_shown(arguments))
        target = _target(arguments, targets)
        return await run_audited(info.context, f"mutation.{name}", target, details, run)

    return audit_and_resolve


async def run_audited(
    context: Context,
    action: str,
    target: str | None,
    details: Mapping[str, Any],
    run: Callable[[], Awaitable[Any]],
) -> Any:
    """Runs a mutation and returns its payload.

    Its entry is written first, and gets its outcome afterwards; without it nothing is run.
    """
    viewer = context.viewer
    record = AuditRecord(
        subject=viewer.subject,
        token_id=viewer.token_id,
        action=action,
        outcome=BEGUN,
        target=target,
        request_id=context.request_id,
        address=context.address,
        details=details,
    )
    async with context.services.database.connection() as connection:
        (entry_id,) = await audit.add(connection, [record], context.services.clock())
    trail = context.trail = Trail(entry_id)
    code, counts = INTERNAL, dict[str, int]()
    try:
        payload = await run()
        code, counts = _outcome(payload)
    except BaseException as error:
        code = _code(error)
        raise
    finally:
        context.trail = None
        await _end(context, trail, code, counts)
    return payload


async def _end(context: Context, trail: Trail, code: str, details: Mapping[str, Any]) -> None:
    """Records the outcome, unless the mutation's own transaction recorded it."""
    if trail.is_settled:
        if code == OK and not details:
            return
        if code in _FAULTS:  # the changes were made; only the response failed
            code, details = OK, {**details, "answer": code}
    try:
        async with context.services.database.connection() as connection:
            await audit.end(connection, trail.entry_id, code, details)
    except (GatewayError, OSError) as error:  # the outcome stays `begun`
        log.warning("outcome_not_recorded", entry=trail.entry_id, reason=str(error))


def _outcome(payload: Any) -> tuple[str, dict[str, int]]:
    """The code of a payload and its events by status; fails if every event was rejected."""
    results = getattr(payload, "results", None) or [getattr(payload, "result", None)]
    statuses = [result.status for result in results if result is not None]
    errors = getattr(payload, "user_errors", None)
    counts = dict(Counter(map(str, statuses)))
    if errors and all(status is EventStatus.REJECTED for status in statuses):
        return errors[0].code, counts
    return OK, counts


def _code(error: BaseException) -> str:
    if isinstance(error, GatewayError):
        return error.code
    if isinstance(error, asyncio.CancelledError):  # only the deadline ends a mutation
        return Timeout.code
    if extensions := getattr(error, "extensions", None):  # of a value that GraphQL refused
        return str(extensions.get("code", InvalidInput.code))
    return INTERNAL


def _target(arguments: Mapping[str, Any], targets: Sequence[str]) -> str | None:
    given = {**(arguments.get("input") or {}), **arguments}
    for name in targets:
        if isinstance(value := given.get(name), str):
            return _SECRETS.sub("…", value)[:MAX_TARGET_LENGTH]
    return None


def _counted(events: Any) -> dict[str, Any]:
    """The number of events in an input; the events themselves are stored elsewhere."""
    several = events.get("events") if isinstance(events, Mapping) else None
    return {"events": len(several) if isinstance(several, Sequence) else 1}


def _shown(value: Any) -> Any:
    """The value as JSON, without anything that may be a secret."""
    if isinstance(value, Mapping):
        return {
            str(name): "…" if name == _TEXT or _is_secret(str(name)) else _shown(inner)
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
    """The details, or their size alone if the entry has no room for them."""
    try:
        size_bytes = len(orjson.dumps(audit.fitting(details)))
    except TypeError:  # a whole number over 64 bits
        return {"unreadable": True}
    return details if size_bytes <= MAX_DETAILS_BYTES else {"truncated": True, "bytes": size_bytes}
