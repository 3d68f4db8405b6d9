"""Notification channels: who is told, how, and what was sent to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from access.sealing import CannotOpenError
from alerts.delivery import KINDS
from ingest.events import Code
from resolvers import alert_changes
from resolvers.alert_changes import is_mine, not_found, owner_of
from resolvers.alert_nodes import AlertNode, Named, channel_key, column, node_of, scope_of
from resolvers.alert_rules import camel_case
from resolvers.context import Context
from resolvers.entity_fields import uuid_of
from resolvers.pages import Connection, PageArguments, page_size, table_page
from resolvers.user_errors import InputCode, UserError, wrong
from storage.alerts import channels as table
from storage.alerts import sends
from storage.alerts.changes import PLATFORM, publish
from storage.alerts.channels import ChannelRow
from storage.alerts.rules import Refusal
from storage.connections.database import Connection as DatabaseConnection
from storage.names import wrong_name
from storage.queries import alerts as queries
from storage.queries.conditions import Condition, Operator

MAX_SENDS_PER_HOUR = 1_000
MAX_MAILS_PER_HOUR = 3_000  # of a channel of a project, under the sender of the platform
NAMED_AT_MOST = 5


class NotificationChannel(AlertNode):
    """A channel, without its secrets."""

    key_column = "channel_id"
    channel_id = column("channel_id")
    name = column("name")
    kind = column("kind")
    enabled = column("enabled")
    sends_per_hour = column("sends_per_hour")
    created_at = column("created_at")
    created_by = column("created_by")
    changed_at = column("changed_at")
    changed_by = column("changed_by")

    @property
    def settings(self) -> list[Named]:
        given = self.row["settings"]
        return [Named(name, as_text(given[name])) for name in sorted(given)]

    @property
    def secrets(self) -> list[str]:
        return sorted(name for name, value in self.row["secrets"].items() if value)


def as_text(value: Any) -> str:
    """A setting as a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


class Send:
    """A message to a channel."""

    def __init__(self, row: Any) -> None:
        self.row = row

    send_id = column("send_id")
    status = column("status")
    reason = column("reason")
    attempt_count = column("attempts")
    created_at = column("created_at")
    due_at = column("due_at")
    sent_at = column("sent_at")
    title = property(lambda self: self.row["message"].get("title"))
    text = property(lambda self: self.row["message"].get("text"))


class Attempt(NamedTuple):
    """A try to deliver a message."""

    number: int
    at: datetime
    outcome: str
    detail: str | None
    duration_ms: int | None


# Fields of kinds that inputs call otherwise: the audit log hides what is called a secret.
_INPUT_NAMES = {("slack", "url"): "secret_url", ("apprise", "service"): "secret_url"}
_FIELDS = {(kind, name): field for (kind, field), name in _INPUT_NAMES.items()}


class Given(NamedTuple):
    """A kind of channel with what is to be set."""

    kind: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, Any]

    @classmethod
    def of(cls, kind: str, values: Mapping[str, Any]) -> Given:
        """Keeps secrets apart from settings; what is None is not given."""
        given = {
            _FIELDS.get((kind, name), name): value
            for name, value in values.items()
            if value is not None
        }
        secrets = {name: given.pop(name) for name in KINDS[kind].SECRETS if name in given}
        return cls(kind, given, secrets)


@dataclass(frozen=True, slots=True)
class Changed:
    """The channel after a change, or the errors in the input."""

    channel: NotificationChannel | None
    user_errors: list[UserError]


async def channels(
    context: Context, projects: Sequence[str] | None, page: PageArguments
) -> Connection[NotificationChannel]:
    """Returns a page of the channels in scope; the platform's are for admins alone."""
    scope = await scope_of(context, projects)
    return await table_page(context, page, queries.CHANNELS, NotificationChannel, scope=scope)


async def channel_by_key(context: Context, project_id: int, key: str) -> NotificationChannel | None:
    return await node_of(context, NotificationChannel, queries.CHANNELS, project_id, key)


async def sends_of(
    context: Context,
    channel: NotificationChannel,
    statuses: Sequence[str] | None,
    page: PageArguments,
) -> Connection[Send]:
    """Returns a page of what was sent to a channel, newest first."""
    filter = [Condition(("channel_id",), Operator.EQ, channel.channel_id)]
    if statuses is not None:
        filter.append(Condition(("status",), Operator.IN, sorted(set(statuses))))
    return await table_page(context, page, queries.SENDS, Send, tuple(filter))


async def attempts_of(context: Context, send: Send, first: int) -> list[Attempt]:
    page_size(first)
    rows = await context.loaders.of(queries.parts_of, queries.ATTEMPTS, first).load(send.send_id)
    names = ("attempt", "at", "outcome", "detail", "duration_ms")
    return [Attempt(*(row[name] for name in names)) for row in rows or ()]


async def create(
    context: Context, project: str | None, name: str, given: Given, changes: Mapping[str, Any]
) -> Changed:
    """Creates a channel of a project in scope, or of the platform."""
    owner = await owner_of(context, project)
    if isinstance(owner, UserError):
        return Changed(None, [owner])
    by, now = context.viewer.subject, context.now
    most = table.DEFAULT_SENDS_PER_HOUR
    made = ChannelRow(
        *(uuid4(), owner, name.strip(), given.kind, True, given.settings, {}, most),
        *(now, by, now, by),
    )
    row = replace(made, **changes)
    if errors := errors_of(row, given.secrets, _local(context, owner)):
        return Changed(None, errors)
    row = replace(row, secrets=context.services.seals.seal(given.secrets))
    async with context.transaction() as connection:
        if errors := refused(row, await table.add(connection, row)):
            return Changed(None, errors)
        await publish(connection, [(row.project_id, row.channel_id)])
    return await _reloaded(context, row)


async def update(
    context: Context, id: str, given: Given | None, changes: Mapping[str, Any]
) -> Changed:
    """Changes the given settings of a channel; secrets that are not given stay."""
    async with context.transaction() as connection:
        before = await _locked(context, connection, id)
        if before is None:
            return Changed(None, [not_found(id, "channel")])
        if given is not None and given.kind != before.kind:
            message = f"The channel is one of {before.kind}: create another one for {given.kind}."
            return Changed(None, [UserError(["input", "channel"], InputCode.CONFLICT, message)])
        row = replace(before, **changes, changed_at=context.now, changed_by=context.viewer.subject)
        if given is not None:
            row = replace(row, settings={**before.settings, **given.settings})
        if errors := _errors_of_change(context, before, row, given):
            return Changed(None, errors)
        if given is not None:
            sealed = context.services.seals.seal(given.secrets)
            row = replace(row, secrets={**before.secrets, **sealed})
        await table.change(connection, row)
        await publish(connection, [(row.project_id, row.channel_id)])
    return await _reloaded(context, row)


async def delete(context: Context, id: str) -> tuple[str | None, list[UserError]]:
    """Deletes a channel that no rule tells; what was sent to it stays. Returns its id."""
    async with context.transaction() as connection:
        row = await _locked(context, connection, id)
        if row is None:
            return None, [not_found(id, "channel")]
        if await table.delete(connection, row) is not None:
            rules = await table.users(connection, row)
            named = ", ".join(repr(rule) for rule in rules[:NAMED_AT_MOST])
            more = "" if len(rules) <= NAMED_AT_MOST else f" and {len(rules) - NAMED_AT_MOST} more"
            message = f"It is told by {named}{more}: name another channel there first."
            return None, [wrong("id", message, InputCode.CONFLICT)]
        await publish(connection, [(row.project_id, row.channel_id)])
    context.forget_loaded()
    return id, []


async def resend(context: Context, id: str) -> tuple[Send | None, list[UserError]]:
    """Lets a dead send be tried once more, under the same id."""
    send_id = uuid_of(id)
    if send_id is None or await _send(context, send_id) is None:
        message = f"There is no send {id[:100]!r}."
        return None, [wrong("send", message, InputCode.NOT_FOUND)]
    async with context.transaction() as connection:
        done = await sends.resend(connection, send_id, context.now)
    if not done:
        message = "Only a send that is DEAD can be sent again."
        return None, [wrong("send", message, InputCode.CONFLICT)]
    context.forget_loaded()
    return await _send(context, send_id), []


async def _send(context: Context, send_id: UUID) -> Send | None:
    row = await context.loaders.of(queries.rows_by_id, queries.SENDS, "send_id").load(send_id)
    return None if row is None else Send(row)


def _errors_of_change(
    context: Context, before: ChannelRow, row: ChannelRow, given: Given | None
) -> list[UserError]:
    """Returns what is wrong with a channel as it is to be; one can be switched off in any case."""
    new = {} if given is None else given.secrets
    kept = {name: value for name, value in before.secrets.items() if name not in new}
    try:
        secrets = {**context.services.seals.open(kept), **new}
    except CannotOpenError as error:
        if given is None:
            return _general_errors(row)
        message = "What is stored cannot be read any more: give this secret again."
        return [_error_of_field(row, name, message, InputCode.CONFLICT) for name in error.names]
    errors = errors_of(row, secrets, _local(context, row.project_id))
    return errors or ([] if given is None else secrets_led_away(before, row, given))


def errors_of(
    row: ChannelRow, secrets: Mapping[str, str], local: Collection[str]
) -> list[UserError]:
    """Returns what is wrong with a channel that has these secrets.

    `local` are hosts that need not be public.
    """
    return _general_errors(row) + [
        _error_of_field(row, name, message, Code.INVALID_VALUE)
        for name, message in KINDS[row.kind].problems(row.settings, secrets, local)
    ]


def _error_of_field(row: ChannelRow, name: str, message: str, code: Code | InputCode) -> UserError:
    """An error in a setting or secret, at its field of the input."""
    field = _INPUT_NAMES.get((row.kind, name), name)
    return UserError(["input", "channel", camel_case(row.kind), camel_case(field)], code, message)


def _general_errors(row: ChannelRow) -> list[UserError]:
    """Returns what is wrong with what all kinds of channels have."""
    found = []
    if not row.name:
        found.append(wrong("name", "The name is empty: say who is told."))
    elif problem := wrong_name(row.name):
        found.append(wrong("name", f"The name {problem[1]}: choose another one."))
    if not 1 <= row.sends_per_hour <= MAX_SENDS_PER_HOUR:
        message = f"It is from 1 to {MAX_SENDS_PER_HOUR:,}."
        found.append(wrong("sendsPerHour", message))
    mails = row.sends_per_hour * len(row.settings.get("to") or ())
    if row.project_id is not None and row.kind == "email" and mails > MAX_MAILS_PER_HOUR:
        message = f"To so many addresses these are {mails:,} mails: {MAX_MAILS_PER_HOUR:,} at most."
        found.append(wrong("sendsPerHour", message))
    return found


def secrets_led_away(before: ChannelRow, row: ChannelRow, given: Given) -> list[UserError]:
    """The errors where stored secrets would go to another server: who sets it must know them."""
    if _server(before) == _server(row):
        return []
    message = "The address is of another server: give this secret again."
    kept = (name for name, value in before.secrets.items() if value and name not in given.secrets)
    return [_error_of_field(row, name, message, InputCode.CONFLICT) for name in sorted(kept)]


def _server(row: ChannelRow) -> tuple[str, str] | None:
    """The scheme, host and port that messages go to, for kinds with an address."""
    default = KINDS[row.kind].model_fields.get("url")
    address = row.settings.get("url") or (default.default if default else None)
    parts = urlsplit(address) if isinstance(address, str) else None
    return parts and (parts.scheme, parts.netloc.lower())


def refused(row: ChannelRow, refusal: Refusal | None) -> list[UserError]:
    most = f"{table.channels_at_most(row.project_id)} channels"
    return alert_changes.refused(refusal, row.project_id, f"a channel {row.name!r}", most)


def _local(context: Context, project_id: int | None) -> Collection[str]:
    """The hosts that need not be public for a channel of a project, or of the platform."""
    return context.services.outside.for_owner(project_id).outgoing.destinations.local


async def _locked(context: Context, connection: DatabaseConnection, id: str) -> ChannelRow | None:
    channel_id = channel_key(id)
    row = None if channel_id is None else await table.lock(connection, channel_id)
    return row if row is not None and is_mine(context, row.project_id) else None


async def _reloaded(context: Context, row: ChannelRow) -> Changed:
    context.forget_loaded()
    number = PLATFORM if row.project_id is None else row.project_id
    return Changed(await channel_by_key(context, number, str(row.channel_id)), [])
