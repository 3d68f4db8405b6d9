"""What people do with rules: make, change, switch, delete, acknowledge, mark as read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from access.viewers import Permission
from alerts.defaults import row_of
from alerts.documents import Document, read_document
from alerts.rules import RULE, Rule
from ingest.events import Code
from resolvers.alert_nodes import key_of
from resolvers.alert_rules import as_stored, errors_of, too_many_spans, unknown_channels
from resolvers.alerts import Alert, alerts_by_keys
from resolvers.context import Context
from resolvers.user_errors import InputCode, UserError, no_project, too_many, wrong
from storage.alerts import acknowledging, reads
from storage.alerts import rules as table
from storage.alerts.changes import PLATFORM, publish
from storage.alerts.rules import Refusal, RuleChange, RuleRow
from storage.connections.database import Connection


@dataclass(frozen=True, slots=True)
class Changed:
    """The rule after a change, or the errors in the input."""

    alert: Alert | None
    user_errors: list[UserError]


async def owner_of(context: Context, project: str | None) -> int | UserError | None:
    """Returns the id of the project that an input names, None for the platform.

    Returns an error for a project that is not in scope, and for the platform unless an admin asks.
    """
    if project is not None:
        project_id = await context.project_id(project)
        return no_project(project) if project_id is None else project_id
    if context.viewer.may(Permission.ADMINISTER):
        return None
    message = "Give the slug of a project: what belongs to the platform needs the role admin."
    return wrong("project", message, Code.MISSING_FIELD)


def is_mine(context: Context, project_id: int | None) -> bool:
    """Whether the viewer may change what belongs to this project, or to the platform."""
    if project_id is None:
        return context.viewer.may(Permission.ADMINISTER)
    return project_id in context.scope


async def create(context: Context, project: str | None, rule: Rule) -> Changed:
    """Creates a rule of a project in scope, or of the platform."""
    owner = await owner_of(context, project)
    if isinstance(owner, UserError):
        return Changed(None, [owner])
    if errors := await errors_of(context, owner, rule):
        return Changed(None, errors)
    row = row_of(as_stored(rule), owner, context.now, context.viewer.subject)
    async with context.transaction() as connection:
        errors = await unknown_channels(connection, owner, rule)
        errors = errors or await too_many_spans(connection, owner, row.rule_id, rule)
        if not errors:
            errors = _refused(row, await table.add(connection, row))
        if errors:
            return Changed(None, errors)
        await publish(connection, [(row.project_id, row.rule_id)])
    return await _reloaded(context, row)


async def update(
    context: Context, id: str, changes: Mapping[str, Any], revision: int | None
) -> Changed:
    """Changes the given fields of a rule, if it still has the expected revision."""
    return await _change(context, id, changes, revision, RuleChange.CHANGED)


async def switch(context: Context, id: str, *, enabled: bool) -> Changed:
    """Switches a rule on or off."""
    what = RuleChange.ENABLED if enabled else RuleChange.DISABLED
    return await _change(context, id, {"enabled": enabled}, None, what)


async def _change(
    context: Context, id: str, changes: Mapping[str, Any], revision: int | None, what: RuleChange
) -> Changed:
    async with context.transaction() as connection:
        before = await _locked(context, connection, id)
        if before is None:
            return _no_alert(id)
        if revision is not None and revision != before.revision:
            return Changed(None, [_changed_meanwhile(before)])
        known = read_document(before.document)
        rule = known.changed(before.name, changes)
        if rule is None:
            return Changed(None, [_unreadable(known, what)])
        errors = await errors_of(context, before.project_id, rule)
        errors = errors or await unknown_channels(connection, before.project_id, rule)
        errors = errors or await too_many_spans(connection, before.project_id, before.rule_id, rule)
        if not errors and (rule := as_stored(rule)) != known.changed(before.name, {}):
            after = _changed_row(context, before, rule)
            errors = _refused(after, await table.change(connection, before, after, what))
            if not errors:
                await publish(connection, [(before.project_id, before.rule_id)])
        if errors:
            return Changed(None, errors)
    return await _reloaded(context, before)


def _changed_row(context: Context, before: RuleRow, rule: Rule) -> RuleRow:
    return replace(
        before,
        name=rule.name,
        enabled=rule.enabled,
        document=RULE.dump_python(rule, mode="json"),
        changed_at=context.now,
        changed_by=context.viewer.subject,
    )


async def delete(context: Context, id: str) -> tuple[str | None, list[UserError]]:
    """Deletes a rule; its history stays. Returns its id."""
    async with context.transaction() as connection:
        row = await _locked(context, connection, id)
        if row is None:
            return None, _no_alert(id).user_errors
        await table.delete(connection, row, context.viewer.subject, context.now)
        await publish(connection, [(row.project_id, row.rule_id)])
    context.forget_loaded()
    return id, []


async def acknowledge(context: Context, id: str, instance: str) -> Changed:
    """Notes that the viewer takes care of an instance that fires."""
    async with context.transaction() as connection:
        row = await _locked(context, connection, id)
        if row is None:
            return _no_alert(id)
        by, now = context.viewer.subject, context.now
        fires = await acknowledging.acknowledge(connection, row, instance, by, now)
        if not fires:
            message = f"No instance {instance[:100]!r} of this alert fires."
            return Changed(None, [wrong("instance", message, InputCode.NOT_FOUND)])
        await publish(connection, [(row.project_id, row.rule_id)])
    return await _reloaded(context, row)


async def mark_read(context: Context, until: datetime | None) -> datetime:
    """Marks what happened up to a time as read by the viewer; up to now by default."""
    read_at = min(until or context.now, context.now)
    async with context.transaction() as connection:
        await reads.mark_read(connection, context.viewer.subject, read_at)
    return read_at


async def _locked(context: Context, connection: Connection, id: str) -> RuleRow | None:
    rule_id = key_of(id, "Alert")
    row = None if rule_id is None else await table.lock(connection, rule_id)
    return row if row is not None and is_mine(context, row.project_id) else None


def _no_alert(id: str) -> Changed:
    return Changed(None, [not_found(id, "alert")])


def not_found(id: str, noun: str) -> UserError:
    """The error in `input.id` of something that is not in scope."""
    return wrong("id", f"There is no {noun} {id[:100]!r}.", InputCode.NOT_FOUND)


def _changed_meanwhile(row: RuleRow) -> UserError:
    message = (
        f"{row.changed_by} has changed the alert meanwhile: it has revision {row.revision}. "
        "Read it again, and send your change with that revision."
    )
    return wrong("revision", message, InputCode.CONFLICT)


def _unreadable(known: Document, what: RuleChange) -> UserError:
    message = f"{known.problem} Give a new trigger by updateAlert, or delete the alert."
    return wrong("trigger" if what is RuleChange.CHANGED else "id", message)


def refused(
    refusal: Refusal | None, project_id: int | None, named: str, most: str
) -> list[UserError]:
    """The errors for why something so ``named``, of which there are so many, is not stored."""
    whose = "platform" if project_id is None else "project"
    match refusal:
        case Refusal.NAME_TAKEN:
            message = f"The {whose} has {named} already: choose another name."
            return [wrong("name", message, InputCode.TAKEN)]
        case Refusal.TOO_MANY:
            return [too_many(f"The {whose} has {most}, the most allowed: delete one first.")]
    return []


def _refused(row: RuleRow, refusal: Refusal | None) -> list[UserError]:
    most = f"{table.rules_at_most(row.project_id):,} alerts"
    return refused(refusal, row.project_id, f"an alert called {row.name!r}", most)


async def _reloaded(context: Context, row: RuleRow) -> Changed:
    context.forget_loaded()
    key = (PLATFORM if row.project_id is None else row.project_id, row.rule_id)
    return Changed(next(iter(await alerts_by_keys(context, [key]))), [])
