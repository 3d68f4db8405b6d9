"""Checks of rules: what is wrong, told by the path in the input of a mutation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from alerts.checking import FACT_OF, Problem, problems
from alerts.documents import read_document
from alerts.measures import measure_called
from alerts.rules import OnEvent, Rule, Trigger, Watch
from alerts.windows import span_of, spans_at_most, spans_of
from analytics.slices import Filter
from ingest.events import Code
from resolvers.context import Context
from resolvers.population import resolve_filter
from resolvers.user_errors import InputCode, UserError
from storage.alerts import channels, rules
from storage.connections.database import Connection
from storage.dimensions import DIMENSIONS
from storage.errors import NotFound
from storage.facts import FACTS
from storage.facts.fact import Fact

# Fields of a rule's document that have another name in the API.
_NAMES = {
    "window_seconds": "window",
    "for_seconds": "for",
    "keep_firing_seconds": "keepFiring",
    "after_seconds": "after",
    "baseline_seconds": "baselineLength",
    "group_by": "groupBy",
    "at_least": "minSample",
    "event": "kind",
    "alpha": "significant",
}


async def errors_of(context: Context, project_id: int | None, rule: Rule) -> list[UserError]:
    """Returns what is wrong with a rule of a project in scope, or of the platform."""
    found = problems(rule, project_scoped=project_id is not None)
    if found:
        return [_told(rule.trigger, problem) for problem in found]
    return [error async for error in _unknown_names(context, rule.trigger)]


def _told(trigger: Trigger, problem: Problem) -> UserError:
    return UserError(input_path(trigger, problem.path), Code.INVALID_VALUE, problem.message)


def input_path(trigger: Trigger, path: tuple[str, ...]) -> list[str]:
    """The path in a mutation's input of a path in a rule's document."""
    if path[0] != "trigger":
        return ["input", *path]
    way = ["input", "trigger", "watch" if isinstance(trigger, Watch) else "event"]
    if path[1:2] == ("filter",):
        return [*way, "filter", *(_plural(name) for name in path[2:])]
    if path[1:2] == ("comparison",) and isinstance(trigger, Watch):
        way += ["comparison", trigger.comparison.kind]
        return [*way, *(_NAMES.get(name, name) for name in path[2:])]
    return [*way, *(_NAMES.get(name, name) for name in path[1:])]


def _plural(name: str) -> str:
    return camel_case(DIMENSIONS[name].plural if name in DIMENSIONS else name)


def camel_case(name: str) -> str:
    """The name of a field in the API."""
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


async def _unknown_names(context: Context, trigger: Trigger) -> Any:
    """Errors for names of projects, networks and templates that there are not."""
    for name, names in trigger.filter.items():
        dimension = DIMENSIONS[name]
        if dimension.interned:
            continue
        try:
            await resolve_filter(context, [fact_of(trigger)], {dimension: names})
        except NotFound as error:
            path = input_path(trigger, ("trigger", "filter", name))
            yield UserError(path, InputCode.NOT_FOUND, error.message)


def fact_of(trigger: Trigger) -> Fact:
    """The fact that a valid rule watches."""
    if isinstance(trigger, OnEvent):
        return FACT_OF[trigger.event]
    measure = measure_called(trigger.measure)
    assert measure is not None, "the rule was checked"
    return FACTS[measure.fact]


async def filter_of(context: Context, watch: Watch) -> Filter:
    """Returns the ids that a valid rule selects.

    Names that nobody in scope uses match nothing without being looked for, so that the time it
    takes does not tell whether somebody else uses them. Raises NotFound as `resolve_filter` does.
    """
    named = {DIMENSIONS[name]: names for name, names in watch.filter.items()}
    return await resolve_filter(context, [fact_of(watch)], named)


async def unknown_channels(
    connection: Connection, project_id: int | None, rule: Rule
) -> list[UserError]:
    """Errors for channels that neither the rule's project nor the platform has."""
    known = await channels.names(connection, project_id, rule.channels)
    return [
        UserError(
            ["input", "channels"],
            InputCode.NOT_FOUND,
            f"There is no channel {name[:100]!r}: create it first, or name another one.",
        )
        for name in rule.channels
        if name not in known
    ]


async def too_many_spans(
    connection: Connection, project_id: int | None, rule_id: UUID, rule: Rule
) -> list[UserError]:
    """An error for a rule whose owner's other rules look at as many times as they may."""
    if not rule.enabled or not isinstance(rule.trigger, Watch):
        return []
    await rules.lock_owner(connection, project_id)
    documents = await rules.enabled_beside(connection, project_id, rule_id)
    spans = spans_of(read_document(each).trigger for each in documents)
    most = spans_at_most(project_id)
    if len(spans) < most or span_of(rule.trigger) in spans:
        return []
    whose = "platform" if project_id is None else "project"
    return [
        UserError(
            input_path(rule.trigger, ("trigger", "window_seconds")),
            InputCode.TOO_MANY,
            f"The alerts of the {whose} have {most} windows with what they are compared with, the "
            "most allowed: use one of those.",
        )
    ]


def as_stored(rule: Rule) -> Rule:
    """The rule with its names written as events' names are."""
    filter: Mapping[str, tuple[str, ...]] = {
        name: tuple(each.lower() for each in names)
        if name in DIMENSIONS and DIMENSIONS[name].any_case
        else names
        for name, names in rule.trigger.filter.items()
    }
    return replace(rule, trigger=replace(rule.trigger, filter=filter))
