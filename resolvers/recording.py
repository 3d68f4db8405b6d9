"""Recording: mutations hand deployment events to the ingest writer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from access.viewers import Permission
from ingest.events import EventStatus, Result
from resolvers.context import Context
from resolvers.deployments import Deployment, Links, deployments_by_keys
from storage.errors import LimitExceeded

MAX_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class UserError:
    """An error in the input that its sender can correct."""

    field: str | None
    code: str
    message: str


def invalid(field: str, message: str) -> UserError:
    """An error in the value of an input field."""
    return UserError(field, "INVALID_VALUE", message)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The result of one event."""

    deployment: Deployment | None
    result: Result
    user_errors: list[UserError]


@dataclass(frozen=True, slots=True)
class RecordedEvents:
    """The results of several events."""

    results: list[Result]
    user_errors: list[UserError]


async def record_deployment(context: Context, event: dict[str, Any], links: Links) -> Recorded:
    (result,) = await context.services.intake.record([event], context.viewer)
    context.forget_loaded()
    return Recorded(await _deployment(context, result, links), result, _user_errors([result], ()))


async def _deployment(context: Context, result: Result, links: Links) -> Deployment | None:
    if result.status is EventStatus.REJECTED or result.deployment_id is None:
        return None
    if not context.viewer.may(Permission.READ):
        return None  # it may hold data of other senders
    assert result.project is not None
    ids = await context.services.dictionaries.project_ids([result.project])
    key = (ids[result.project], result.deployment_id)
    return next(iter(await deployments_by_keys(context, [key], links)), None)


async def record_events(context: Context, events: Sequence[dict[str, Any]]) -> RecordedEvents:
    if len(events) > MAX_EVENTS:
        raise LimitExceeded(
            f"A mutation takes at most {MAX_EVENTS} events: send more by POST /v1/events.",
            limit=f"events per mutation: {MAX_EVENTS}",
            path="inputs",
        )
    results = await context.services.intake.record(events, context.viewer)
    context.forget_loaded()
    return RecordedEvents(results, _user_errors(results, ("inputs",)))


def _user_errors(results: Sequence[Result], prefix: tuple[str, ...]) -> list[UserError]:
    return [
        UserError(_field(result, prefix), str(result.code), result.message or "")
        for result in results
        if result.status is EventStatus.REJECTED
    ]


def _field(result: Result, prefix: tuple[str, ...]) -> str | None:
    """The path of the error in the mutation's arguments, such as `inputs.3.time`."""
    parts = [*prefix, str(result.index)] if prefix else ["input"]
    return ".".join([*parts, *([result.path] if result.path else [])])
