"""Explanations: why a rule fired at a moment, or did not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts.documents import read_document
from alerts.evidence import Evidence
from alerts.explain import PHASES, Explained, Past, explained, look
from alerts.memory import all_projects
from alerts.readings import Watched
from alerts.rules import RULE, StoredRule, Watch
from alerts.states import Transition
from analytics.answer import Answer
from analytics.slices import Slice
from resolvers.alert_nodes import Named, labels_of
from resolvers.alert_rules import filter_of
from resolvers.alerts import Alert, AlertEvent, EvidenceOf
from resolvers.context import Context
from storage.dimensions import PROJECT
from storage.errors import InvalidInput
from storage.queries.alert_past import events_at, revision_at

# Instances whose last transition is older are no longer told.
HISTORY = timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance at the moment."""

    of: Explained
    project_id: int | None
    stored: AlertEvent | None

    name = property(lambda self: self.of.instance)
    state = property(lambda self: self.of.phase)
    sentence = property(lambda self: self.of.sentence)

    @property
    def labels(self) -> list[Named]:
        return labels_of(self.of.labels)

    @property
    def recomputed(self) -> EvidenceOf | None:
        found = self.of.found
        return None if found is None else EvidenceOf(found, self.project_id)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule at a moment: its revision then, and its instances."""

    at: datetime
    revision: int | None
    notes: list[str]
    instances: list[Instance]


async def explain(context: Context, alert: Alert, at: datetime | None, first: int) -> Explanation:
    """Explains a rule in scope as it was at a moment, by default now."""
    at = _checked(context, at or context.now)
    revision = await revision_at(context.services.database, context.scope, alert.rule_id, at)
    if revision is None or revision["document"] is None:
        told = "It did not exist yet." if revision is None else "It was deleted by then."
        return Explanation(at, None, [told], [])
    number = revision["revision"]
    if problem := read_document(revision["document"]).problem:
        return Explanation(at, number, [problem], [])
    rule = RULE.validate_python(revision["document"])
    events = await _events(context, alert, at)
    past = {event.instance: _past(event) for event in events.values()}
    stored = StoredRule(alert.rule_id, alert.project_id, number, rule)
    found, is_coarse = await _found(context, stored, past, at)
    notes = [] if rule.enabled else ["It was off, so nothing was evaluated."]
    if is_coarse:
        notes.append("So far back finer data is gone: the edges of the times were rounded.")
    shown = explained(rule, past, found, at)
    if left_out := max((each.left_out for each in found.values()), default=0):
        notes.append(f"There were {left_out:,} more groups than an alert watches.")
    return Explanation(
        at,
        number,
        notes,
        [Instance(each, alert.project_id, events.get(each.instance)) for each in shown[:first]],
    )


async def _found(
    context: Context, stored: StoredRule, past: Mapping[str, Past], at: datetime
) -> tuple[dict[str, Evidence], bool]:
    """What an evaluation at that moment finds now, and whether finer data than was read is gone."""
    watch = stored.rule.trigger
    if not isinstance(watch, Watch):
        return {}, False
    filter = await filter_of(context, watch)
    return await look(
        Watched.of(stored, watch, dict(filter.pairs)),
        past,
        at,
        _loading(context),
        context.services.dictionaries,
        await _projects(context, stored.project_id, watch),
    )


def _checked(context: Context, at: datetime) -> datetime:
    floor = context.services.analytics.floors.fine
    if at > context.now:
        raise InvalidInput("That is in the future: give an earlier time.", path="at")
    if floor is not None and at < floor:
        raise InvalidInput(f"Nothing so fine is stored before {floor:%Y-%m-%d}.", path="at")
    return at


async def _events(context: Context, alert: Alert, at: datetime) -> dict[str, AlertEvent]:
    database, scope = context.services.database, context.scope
    rows = await events_at(database, scope, alert.rule_id, list(PHASES), at - HISTORY, at)
    return {row["instance"]: AlertEvent(row) for row in rows}


def _past(event: AlertEvent) -> Past:
    transition = Transition(event.transition)
    return Past(transition, event.at, event.row["labels"], event.evidence.found)


def _loading(context: Context) -> Any:
    async def load(slices: Sequence[Slice]) -> Sequence[Answer]:
        found: list[Answer] = await context.loaders.answers.load_many(list(slices))
        return found

    return load


async def _projects(context: Context, project_id: int | None, watch: Watch) -> list[int]:
    """All projects, where a rule of the platform tells them apart."""
    if project_id is not None or PROJECT.name not in watch.group_by:
        return []
    return await all_projects(context.services.database.fetch)
