"""Previews of rules: what one would have done over a time, and presets to begin with."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from access.scopes import Scope
from access.viewers import Permission
from alerts.age_replay import STANDINGS_AT_MOST, by_group, plan_ages, replay_ages
from alerts.back_test import plan
from alerts.conditions import measure_of
from alerts.judging import group_labels
from alerts.past import ROWS_AT_MOST, PastReader, plan_events, replay_events
from alerts.replay import BackTest, Firing, replay
from alerts.rules import OnEvent, Rule, Trigger, Watch
from analytics.answer import Answer, Key
from analytics.periods import Range
from analytics.slices import Filter
from resolvers.alert_nodes import Named, labels_of
from resolvers.alert_rules import errors_of, filter_of
from resolvers.alerts import EvidenceOf
from resolvers.context import Context
from storage.dimensions import DIMENSIONS, Dimension
from storage.errors import InvalidInput
from storage.queries.past_ages import standings
from storage.queries.past_events import Past

# Of a group, a look that finds nothing new takes a few microseconds.
_LOOKS_PER_VALUE = 10


@dataclass(frozen=True, slots=True)
class PreviewFiring:
    """A time that an instance would have fired."""

    firing: Firing
    labels: list[Named]
    evidence: EvidenceOf

    fired_at = property(lambda self: self.firing.fired_at)
    ended_at = property(lambda self: self.firing.ended_at)
    ended_by = property(lambda self: self.firing.ended_by)
    told = property(lambda self: self.firing.is_told)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would have done."""

    range: Range
    step: timedelta
    pages: int
    firing_for: timedelta
    left_out: int
    notes: tuple[str, ...]
    firings: list[PreviewFiring]


async def preview(context: Context, project: str | None, trigger: Trigger, span: Range) -> Preview:
    """Plays a rule of a project in scope, or of the platform, over a range.

    Raises InvalidInput for a rule that is wrong or cannot be tested.
    """
    project_id = await _project_id(context, project)
    for error in await errors_of(context, project_id, Rule("preview", trigger)):
        path = ".".join((error.field or [])[1:])
        raise InvalidInput(error.message, path=path or "trigger")
    scope = context.scope if project_id is None else Scope.of([project_id])
    if isinstance(trigger, Watch):
        found = await _of_watch(context, trigger, span, scope)
    else:
        found = await _of_event(context, trigger, span, scope)
    return Preview(
        range=found.range,
        step=found.step,
        pages=found.pages,
        firing_for=found.firing,
        left_out=found.left_out,
        notes=found.notes,
        firings=[
            PreviewFiring(
                each, labels_of(each.evidence.labels), EvidenceOf(each.evidence, project_id)
            )
            for each in found.firings
        ],
    )


async def _of_event(context: Context, on: OnEvent, span: Range, scope: Scope) -> BackTest:
    services = context.services
    made = plan_events(on, span, services.analytics.floors, context.now)
    stored = Past(services.database, scope, made.range.start, made.range.end, ROWS_AT_MOST)
    happenings, cut = await PastReader(stored, services.dictionaries, made).read()
    context.compute(len(happenings))
    return await asyncio.to_thread(replay_events, made, happenings, cut)


async def _of_watch(context: Context, trigger: Watch, span: Range, scope: Scope) -> BackTest:
    filter = await filter_of(context, trigger)
    floors = context.services.analytics.floors
    if measure_of(trigger).needs_ages:
        return await _of_ages(context, trigger, span, scope, filter)
    made = plan(trigger, span, scope, filter, floors=floors, now=context.now)
    answers: list[Answer] = await context.loaders.answers.load_many(list(made.slices))
    keys = {key for answer in answers for key in answer.rows}
    context.compute(len(keys) * len(made.looks) // _LOOKS_PER_VALUE)
    names = await _names(context, trigger, keys)
    group_by = [DIMENSIONS[name] for name in trigger.group_by]
    return await asyncio.to_thread(
        replay, made, answers, lambda key: group_labels(group_by, key, names)
    )


async def _of_ages(
    context: Context, watch: Watch, span: Range, scope: Scope, filter: Filter
) -> BackTest:
    made = plan_ages(watch, span, context.services.analytics.floors, context.now)
    rows = await standings(
        context.services.database,
        scope,
        (made.fact, made.age),
        (made.earliest, made.range.start, made.range.end),
        made.lasting,
        STANDINGS_AT_MOST,
    )
    wanted = [row for row in rows if all(row[each.column] in ids for each, ids in filter.pairs)]
    group_by = [DIMENSIONS[name] for name in watch.group_by]
    groups = by_group(wanted, [each.column for each in group_by])
    context.compute(len(wanted))
    names = await _names(context, watch, set(groups))
    return await asyncio.to_thread(
        replay_ages, made, groups, lambda key: group_labels(group_by, key, names)
    )


async def _project_id(context: Context, project: str | None) -> int | None:
    if project is not None:
        return await context.required_project_id(project)
    if not context.viewer.may(Permission.ADMINISTER):
        raise InvalidInput(
            "Give the slug of a project: what belongs to the platform needs the role admin.",
            path="project",
        )
    return None


async def _names(context: Context, watch: Watch, keys: set[Key]) -> dict[Dimension, dict[int, str]]:
    wanted: dict[Dimension, set[int]] = defaultdict(set)
    for key in keys:
        for name, id in zip(watch.group_by, key, strict=True):
            wanted[DIMENSIONS[name]].add(id)
    dictionaries = context.services.dictionaries
    return {each: await dictionaries.names(each, ids) for each, ids in wanted.items()}
