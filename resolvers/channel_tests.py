"""Tests of channels: one message that says it is a test, sent at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from access.sealing import CannotOpenError
from alerts.channel_test import send_test
from alerts.delivery import KINDS
from alerts.documents import read_document
from resolvers.alert_changes import is_mine, not_found
from resolvers.alert_nodes import channel_key, key_of
from resolvers.context import Context
from resolvers.provisioned import Project, by_id
from resolvers.user_errors import InputCode, UserError, wrong
from storage.alerts import channels as table
from storage.alerts import rules, sends
from storage.alerts.channels import ChannelRow

_NOT_TAKEN = "It was not taken: ask an admin."


@dataclass(frozen=True, slots=True)
class Tested:
    """What became of a test of a channel."""

    channel: str
    is_delivered: bool
    detail: str
    duration_ms: int


async def channel(context: Context, id: str) -> tuple[list[Tested], list[UserError]]:
    """Sends a test to a channel of a project in scope, or of the platform."""
    channel_id = channel_key(id)
    async with context.services.database.connection() as connection:
        row = None if channel_id is None else await table.find(connection, channel_id)
    if row is None or not is_mine(context, row.project_id):
        return [], [not_found(id, "channel")]
    return [await _test(context, row)], []


async def alert(context: Context, id: str) -> tuple[list[Tested], list[UserError]]:
    """Sends a test to each channel that an alert tells."""
    rule_id = key_of(id, "Alert")
    async with context.services.database.connection() as connection:
        row = None if rule_id is None else await rules.find(connection, rule_id)
        if row is None or not is_mine(context, row.project_id):
            return [], [not_found(id, "alert")]
        names = read_document(row.document).channels
        found = await table.called(connection, row.project_id, names)
    if not found:
        message = "The alert names no channel: name one first."
        return [], [wrong("id", message, InputCode.NOT_FOUND)]
    if (tested := await _tested_lately(context, found, row)) is not None:
        message = f"The channel {tested.name!r} was tested within this minute: wait for the next."
        return [], [wrong("id", message, InputCode.CONFLICT)]
    return list(await asyncio.gather(*(_test(context, each) for each in found))), []


async def _tested_lately(
    context: Context, channels: Sequence[ChannelRow], rule: rules.RuleRow
) -> ChannelRow | None:
    """A channel of the platform that a project tested within the minute; else notes this test."""
    async with context.transaction() as connection:
        for each in channels:
            ids, title = (each.channel_id, rule.project_id), f"Test of the channel {each.name}"
            if is_mine(context, each.project_id):
                continue
            if not await sends.note_test(connection, *ids, title, context.now):
                return each
    return None


async def _test(context: Context, row: ChannelRow) -> Tested:
    slug, owners = None, tuple[str, ...]()
    if row.project_id is not None:
        project = await by_id(context, Project, row.project_id)
        slug = project.slug if project else None
        async with context.services.database.connection() as connection:
            owners = await sends.owners(connection, row.project_id)
    try:
        secrets = context.services.seals.open(row.secrets)
    except CannotOpenError as error:
        detail = error.message if is_mine(context, row.project_id) else _NOT_TAKEN
        return Tested(row.name, False, detail, 0)
    result = await send_test(
        KINDS[row.kind].of(row.settings, secrets),
        context.services.outside.for_owner(row.project_id),
        name=row.name,
        project=slug,
        owners=owners,
        now=context.now,
    )
    detail = result.detail
    if not is_mine(context, row.project_id):  # the platform's, which an alert of a project tells
        detail = "It was taken." if result.is_delivered else _NOT_TAKEN
    return Tested(row.name, result.is_delivered, detail, result.duration_ms)
