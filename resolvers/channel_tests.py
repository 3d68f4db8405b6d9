"""Tests of channels: one message that says it is a test, sent at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from access.sealing import CannotOpenError
from alerts.channel_test import send_test
from alerts.delivery import KINDS
from alerts.delivery.email import Email
from alerts.documents import read_document
from alerts.mail_limit import addresses_of, may_test
from resolvers.alert_changes import is_mine, not_found
from resolvers.alert_nodes import channel_key, key_of
from resolvers.context import Context
from resolvers.provisioned import Project, by_id
from resolvers.user_errors import InputCode, UserError, wrong
from storage.alerts import channels as table
from storage.alerts import mails, rules, sends
from storage.alerts.channels import ChannelRow
from storage.connections.database import Connection

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
    return await _tests(context, [row], row.project_id)


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
    return await _tests(context, found, row.project_id)


class _NotNowError(Exception):
    """Why channels may not be tested now; nothing is noted then."""


async def _tests(
    context: Context, channels: Sequence[ChannelRow], project_id: int | None
) -> tuple[list[Tested], list[UserError]]:
    """Tests channels, and notes those tests of a project that are limited with what became of them.

    Returns an error, and tests none, if the project may not make all of them now.
    """
    limited = [
        each
        for each in channels
        if _is_mail(context, each, project_id) or not is_mine(context, each.project_id)
    ]
    if limited:
        try:
            async with context.transaction() as connection:
                await _note(context, connection, limited, project_id)
        except _NotNowError as error:
            return [], [wrong("id", str(error), InputCode.CONFLICT)]
    tests = await asyncio.gather(*(_test(context, each) for each in channels))
    if limited:
        async with context.transaction() as connection:
            for each, test in zip(channels, tests, strict=True):
                if each in limited:
                    refusal = None if test.is_delivered else test.detail
                    await sends.end_test(connection, each, context.now, refusal)
    return list(tests), []


def _is_mail(context: Context, channel: ChannelRow, project_id: int | None) -> bool:
    """Whether a test is a mail for a project, under the sender of the platform."""
    is_sent = context.services.outside.mail is not None
    return is_sent and project_id is not None and channel.kind == Email.NAME


async def _note(
    context: Context,
    connection: Connection,
    channels: Sequence[ChannelRow],
    project_id: int | None,
) -> None:
    """Notes tests, each once in a minute, and counts their addresses; raises _NotNowError."""
    server, counts = context.services.outside.mail, dict[UUID, int]()
    for each in channels:
        if _is_mail(context, each, project_id):
            given = each.settings, each.project_id
            counts[each.channel_id] = await addresses_of(connection, *given)
    if counts and server is not None and project_id is not None:
        total = sum(counts.values())
        if not await may_test(connection, project_id, total, server, context.now):
            message = "The mails of the project have gone to their addresses of this hour: wait."
            raise _NotNowError(message)
    for each in sorted(channels, key=lambda each: each.channel_id):  # so that no two lock crosswise
        addresses = counts.get(each.channel_id)
        if not await sends.note_test(connection, each, project_id, context.now, addresses):
            message = f"The channel {each.name!r} was tested within this minute: wait for the next."
            raise _NotNowError(message)


async def _test(context: Context, row: ChannelRow) -> Tested:
    slug, owners = None, tuple[str, ...]()
    if row.project_id is not None:
        project = await by_id(context, Project, row.project_id)
        slug = project.slug if project else None
        async with context.services.database.connection() as connection:
            owners = await mails.owners(connection, row.project_id)
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
