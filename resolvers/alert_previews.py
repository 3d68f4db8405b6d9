"""Previews of rules: what one would have done over a time, and presets to begin with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter

from access.scopes import Scope
from access.viewers import Permission
from alerts.age_replay import STANDINGS_AT_MOST, by_group, plan_ages, replay_ages
from alerts.back_test import plan
from alerts.conditions import measure_of
from alerts.judging import group_labels
from alerts.past import ROWS_AT_MOST, PastReader, plan_events, replay_events
from alerts.replay import BackTest, Firing, replay
from alerts.rules import OnEvent, Rule, Trigger, Watch
from alerts.selection import names_of
from analytics.answer import Answer, Key
from analytics.periods import Range
from analytics.slices import Filter
from resolvers.alert_nodes import labels_of
from resolvers.alert_rules import errors_of, filter_of
from resolvers.alerts import EvidenceOf
from resolvers.context import Context
from storage.dimensions import DIMENSIONS
from storage.errors import InvalidInput
from storage.queries.past_ages import standings
from storage.queries.past_events import Past

# Of a group, a look that finds nothing new takes a few microseconds.
_LOOKS_PER_VALUE = 10


@dataclass(frozen=True, slots=True)
class PreviewFiring:
    """A time that an instance would have fired."""

    firing: Firing
    project_id: int | None

    fired_at = property(attrgetter("firing.fired_at"))
    ended_at = property(attrgetter("firing.ended_at"))
    ended_by = property(attrgetter("firing.ended_by"))
    told = property(attrgetter("firing.is_told"))
    labels = property(lambda self: labels_of(self.firing.evidence.labels))
    evidence = property(lambda self: EvidenceOf(self.firing.evidence, self.project_id))


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would have done."""

    found: BackTest
    firings: list[PreviewFiring]

    range = property(attrgetter("found.range"))
    step = property(attrgetter("found.step"))
    pages = property(attrgetter("found.pages"))
    firing_for = property(attrgetter("found.firing"))
    left_out = property(attrgetter("found.left_out"))
    notes = property(attrgetter("found.notes"))


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
    return Preview(found, [PreviewFiring(each, project_id) for each in found.firings])


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
    labels = await _labels(context, trigger, keys)
    return await asyncio.to_thread(replay, made, answers, labels)


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
    groups = by_group(wanted, [DIMENSIONS[name].column for name in watch.group_by])
    context.compute(len(wanted))
    labels = await _labels(context, watch, groups)
    return await asyncio.to_thread(replay_ages, made, groups, labels)


async def _project_id(context: Context, project: str | None) -> int | None:
    if project is not None:
        return await context.required_project_id(project)
    if not context.viewer.may(Permission.ADMINISTER):
        raise InvalidInput(
            "Give the slug of a project: what belongs to the platform needs the role admin.",
            path="project",
        )
    return None


async def _labels(
    context: Context, watch: Watch, keys: Iterable[Key]
) -> Callable[[Key], Mapping[str, str]]:
    """A function that gives the labels of one of these groups."""
    group_by = [DIMENSIONS[name] for name in watch.group_by]
    ids = {pair for key in keys for pair in zip(group_by, key, strict=True)}
    names = await names_of(context.services.dictionaries, ids)
    return lambda key: group_labels(group_by, key, names)
