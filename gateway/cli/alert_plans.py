"""What a file of alerts would change, and the changes themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from access.sealing import CannotOpenError, Seals
from alerts.defaults import row_of
from alerts.documents import read_document
from alerts.rules import RULE, Rule
from alerts.silences import MATCHERS, SCHEDULE
from alerts.windows import spans_of
from gateway.cli.alert_files import (
    ChannelEntry,
    Path,
    Section,
    SilenceEntry,
    channel_row,
    given_silence,
    reference_to,
    rule_entry,
    secrets_of,
)
from resolvers.alert_rules import as_stored
from resolvers.silences import new_row
from storage.alerts import channels, rules, silences
from storage.alerts.channels import ChannelRow
from storage.alerts.rules import Refusal, RuleChange, RuleRow
from storage.alerts.silences import SilenceRow
from storage.alerts.stored import Stored
from storage.connections.database import Connection

SECRET = "(secret)"  # noqa: S105 - in the place of one


@dataclass(frozen=True, slots=True)
class Step:
    """A change: what it is in words, where the file asks for it, and how it is made."""

    text: str
    path: Path
    id: UUID
    run: Callable[[Connection], Awaitable[Refusal | None]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Compares a section of a file with what is stored; `prune` removes what the file lacks."""

    path: Path
    project_id: int | None
    section: Section
    stored: Stored
    prune: bool
    by: str
    now: datetime
    seals: Seals

    def steps(self) -> Iterator[Step]:
        """The changes: channels before the rules that name them, and those go last."""
        for place, channel in enumerate(self.section.channels):
            yield from self._channel((*self.path, "channels", place), channel)
        for place, rule in enumerate(self.section.rules):
            yield from self._rule((*self.path, "rules", place), rule)
        for place, silence in enumerate(self.section.silences):
            yield from self._silence((*self.path, "silences", place), silence)
        if self.prune:
            yield from self._pruned()

    def spans(self) -> set[tuple[object, ...]]:
        """The times that the rules look at once all is done."""
        left = {} if self.prune else self.stored.rules
        given = {rule.name: rule for rule in self.section.rules}
        stored = (
            read_document(row.document).trigger
            for name, row in left.items()
            if row.enabled and name not in given
        )
        return spans_of([*stored, *(rule.trigger for rule in given.values() if rule.enabled)])

    def spans_before(self) -> set[tuple[object, ...]]:
        """The times that the rules look at now."""
        rows = self.stored.rules.values()
        return spans_of(read_document(row.document).trigger for row in rows if row.enabled)

    def _rule(self, path: Path, given: Rule) -> Iterator[Step]:
        rule = as_stored(given)
        document = RULE.dump_python(rule, mode="json")
        before = self.stored.rules.get(rule.name)
        if before is None:
            row = row_of(rule, self.project_id, self.now, self.by)
            yield Step(f"+ rule {rule.name!r}", path, row.rule_id, partial(rules.add, row=row))
            return
        known = _rule_of(before)
        if known == rule:
            return
        row = replace(
            before,
            enabled=rule.enabled,
            document=document,
            changed_at=self.now,
            changed_by=self.by,
        )
        told = "what is stored cannot be evaluated"
        if known is not None:
            told = _differences(rule_entry(known), rule_entry(rule))
        text = f"~ rule {rule.name!r}: {told}"
        change = partial(rules.change, before=before, after=row, what=RuleChange.CHANGED)
        yield Step(text, path, row.rule_id, change)

    def _channel(self, path: Path, given: ChannelEntry) -> Iterator[Step]:
        before = self.stored.channels.get(given.name)
        secrets = secrets_of(given)
        is_same = before is not None and self._opens_to(before, secrets)
        sealed = before.secrets if before and is_same else self.seals.seal(secrets)
        row = channel_row(given, self.project_id, sealed, by=self.by, now=self.now)
        if before is not None:
            row = replace(row, channel_id=before.channel_id)
        if before is None:
            text = f"+ channel {given.name!r}"
            yield Step(text, path, row.channel_id, partial(channels.add, row=row))
        elif before.kind != given.kind:
            text = f"! channel {given.name!r} is of kind {before.kind}, which never changes"
            yield Step(text, (*path, "kind"), row.channel_id, _impossible)
        elif _shown(before) != _shown(row) or not is_same:
            found = _differences(_shown(before), _shown(row))
            told = ", ".join(filter(None, (found, SECRET * (not is_same))))
            change = partial(channels.change, row=row)
            yield Step(f"~ channel {given.name!r}: {told}", path, row.channel_id, change)

    def _opens_to(self, before: ChannelRow, secrets: Mapping[str, str]) -> bool:
        """Whether the stored secrets are these; none that cannot be read are."""
        try:
            return self.seals.open(before.secrets) == secrets
        except CannotOpenError:
            return False

    def _silence(self, path: Path, given: SilenceEntry) -> Iterator[Step]:
        if given.ends_at <= self.now or given in map(silence_entry, self.stored.silences):
            return
        row = new_row(self.project_id, given_silence(given), by=self.by, now=self.now)
        add = partial(silences.add, row=row, now=self.now)
        yield Step(f"+ silence {given.comment!r}", path, row.silence_id, add)

    def _pruned(self) -> Iterator[Step]:
        by, now = self.by, self.now
        named = {rule.name for rule in self.section.rules}
        for name, rule in self.stored.rules.items():
            if name not in named:
                delete = partial(rules.delete, row=rule, by=by, now=now)
                yield Step(f"- rule {name!r}", self.path, rule.rule_id, delete)
        named = {channel.name for channel in self.section.channels}
        for name, channel in self.stored.channels.items():
            if name not in named:
                delete_channel = partial(channels.delete, row=channel)
                text = f"- channel {name!r}"
                yield Step(text, self.path, channel.channel_id, delete_channel)
        for row in self.stored.silences:
            if silence_entry(row) not in self.section.silences:
                end = partial(silences.end, silences=[row.silence_id], by=by, now=now)
                text = f"- silence {row.comment!r}"
                yield Step(text, self.path, row.silence_id, end)


async def _impossible(_connection: Connection) -> Refusal | None:
    return Refusal.NAME_TAKEN


def silence_entry(row: SilenceRow) -> SilenceEntry:
    """A stored silence as a file has it."""
    return SilenceEntry(
        matchers=MATCHERS.validate_python(row.matchers),
        comment=row.comment,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        until_resolved=row.until_resolved,
        schedule=None if row.schedule is None else SCHEDULE.validate_python(row.schedule),
    )


def _shown(row: ChannelRow) -> dict[str, Any]:
    return {
        "enabled": row.enabled,
        "sends_per_hour": row.sends_per_hour,
        **{f"settings.{name}": value for name, value in row.settings.items()},
    }


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The fields that differ, with both values."""
    names = dict.fromkeys((*before, *after))
    return ", ".join(
        f"{name}: {before.get(name)} → {after.get(name)}"
        for name in names
        if before.get(name) != after.get(name)
    )


def exported(stored: Stored) -> dict[str, Any]:
    """What is stored as a section of a file, with references in the place of secrets."""
    section = {
        "channels": [_channel_entry(row) for row in stored.channels.values()],
        "rules": [rule_entry(rule) for rule in map(_rule_of, stored.rules.values()) if rule],
        "silences": [
            silence_entry(row).model_dump(mode="json", exclude_defaults=True)
            for row in stored.silences
        ],
    }
    return {name: entries for name, entries in section.items() if entries}


def unreadable(stored: Stored) -> Iterator[str]:
    """Says of each rule that an export leaves out why it does."""
    for row in stored.rules.values():
        if problem := read_document(row.document).problem:
            yield f"The rule {row.name!r} is left out. {problem}"


def _rule_of(row: RuleRow) -> Rule | None:
    return read_document(row.document).changed(row.name, {})


def _channel_entry(row: ChannelRow) -> dict[str, Any]:
    entry = ChannelEntry(
        name=row.name,
        kind=row.kind,
        settings=dict(row.settings),
        secrets={name: reference_to(row.name, name) for name in sorted(row.secrets)},
        enabled=row.enabled,
        sends_per_hour=row.sends_per_hour,
    )
    return entry.model_dump(mode="json", exclude_defaults=True)
