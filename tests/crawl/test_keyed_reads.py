"""Reads by key keep to the scope themselves.

The crawl cannot reach them, as their keys come from rows that were read within the scope.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from access.scopes import Scope
from resolvers import alert_explanations
from resolvers.alerts import Alert
from resolvers.context import Context
from storage.connections.database import Database
from storage.dimensions import DIMENSIONS
from storage.facts import FACTS
from storage.facts.build_phases import BUILD_PHASES
from storage.facts.builds import BUILDS
from storage.facts.certificates import CERTIFICATES
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Age, Append, Entity, Keep
from storage.facts.log_lines import LOG_LINES
from storage.log_lines import marks
from storage.queries import (
    alert_past,
    alerts,
    first_events,
    kept_panels,
    log_lines,
    members,
    names,
    running,
)
from storage.queries.errors import counts, related
from storage.queries.errors.searching import Query, find_fingerprints
from storage.queries.facts import Rows, few_series
from storage.queries.keyed import Newest, newest
from storage.queries.paging import PageRequest
from storage.queries.past_ages import standings
from storage.queries.past_events import Past
from storage.times import full_hour
from tests.crawl.world import CANARY, HERON, HIDDEN_SECOND, Worlds
from tests.schema.platform import ADMIN, NOW, TODAY

EVERYTHING = Scope.everything()
ENTITIES = [fact for fact in FACTS.values() if isinstance(fact, Entity)]
APPENDS = [fact for fact in FACTS.values() if isinstance(fact, Append)]
RUNNING = [fact for fact in APPENDS if fact.running is not None]
SEARCH = log_lines.Search(CANARY, log_lines.Span(TODAY, NOW), NOW)


async def test_reads_by_key_keep_to_the_scope(worlds: Worlds) -> None:
    services = worlds.within.services
    ids = await services.dictionaries.project_ids([HIDDEN_SECOND, *HERON.project_slugs])
    own = Scope.of(ids[slug] for slug in HERON.project_slugs)
    seen = set()
    async for read, arguments in reads(services.database, ids[HIDDEN_SECOND]):
        assert found(await read(services.database, EVERYTHING, *arguments)), read
        assert not found(await read(services.database, own, *arguments)), read
        seen.add(read)
    assert len(seen) == 18


async def test_the_past_of_a_rule_keeps_to_the_scope(worlds: Worlds) -> None:
    """An alert leads to it, which nobody else gets; this one is handed over without being asked."""
    services = worlds.within.services
    ids = await services.dictionaries.project_ids([HIDDEN_SECOND])
    rules = alerts.RULES["name", False]
    page = await rules.find(services.database, Scope.of(ids.values()), (), PageRequest(1))
    alert = Alert(page.rows[0])
    for viewer, sees in ((ADMIN, True), (HERON, False)):
        context = await Context.create(services, viewer, "request-1")
        try:
            assert bool(await alert_explanations._events(context, alert, NOW)) is sees
            explanation = await alert_explanations.explain(context, alert, NOW, 5)
            assert bool(explanation.instances) is sees
        finally:
            context.release()


async def test_what_previews_read_keeps_to_the_scope(worlds: Worlds) -> None:
    services = worlds.within.services
    ids = await services.dictionaries.project_ids(HERON.project_slugs)
    own = Scope.of(ids.values())
    critical = await services.dictionaries.ids(DIMENSIONS["severity"], ["critical"])
    hidden = set()
    for scope in (own, EVERYTHING):
        async for read, projects in previewed(services.database, scope, list(critical.values())):
            if scope is own:
                assert projects <= set(own.project_ids or ()), read
            elif projects - set(own.project_ids or ()):
                hidden.add(read)
    assert {"failed", "errors", "places", "hours", "functions", "running"} <= hidden


async def test_a_search_without_names_asks_the_index_for_projects_of_the_scope(
    worlds: Worlds,
) -> None:
    """Its statement has the scope besides, so that nobody would see more without this."""
    services = worlds.within.services
    ids = await services.dictionaries.project_ids(HERON.project_slugs)
    own = Scope.of(ids.values())
    prepared = await log_lines.prepare(services.database, own, SEARCH)
    in_scope = marks.asked([[marks.of_project(project_id) for project_id in own.project_ids or ()]])
    assert in_scope in prepared.parameters(own, SEARCH.span)["marks"]


async def reads(database: Database, hidden: int) -> AsyncIterator[tuple[Any, tuple[Any, ...]]]:
    """Functions that read by keys, with keys of the hidden project."""
    rows = {}
    for fact in ENTITIES:
        of_project = Newest(fact, ("project_id",), 5)
        yield newest, (of_project, [(hidden,)])
        rows[fact] = (await newest(database, EVERYTHING, of_project, [(hidden,)]))[hidden,]
        keys = [(hidden, row[fact.id_column]) for row in rows[fact]]
        yield newest, (Newest(fact, fact.key, 1), keys)
    external_ids = [(hidden, row["external_id"]) for row in rows[DEPLOYMENTS]]
    yield newest, (Newest(BUILDS, ("project_id", "deployment"), 5), external_ids)
    build_ids = [(hidden, row["build_id"]) for row in rows[BUILDS]]
    yield newest, (Newest(BUILD_PHASES, ("project_id", "build_id"), 5), build_ids)
    async for each in reads_of_alerts(database, hidden):
        yield each
    yield first_events.of_projects, ([hidden],)
    yield members.of_projects, ([hidden],)
    yield kept_panels.of_projects, ([hidden],)
    of_errors = related.NEWEST_OF_PROJECT, 5, [(hidden,)]
    yield related.related, of_errors
    errors = (await related.related(database, EVERYTHING, *of_errors))[hidden,]
    error_keys = [(hidden, row["error_id"]) for row in errors]
    yield counts.of_errors, (counts.Counting((TODAY, NOW)), error_keys)
    yield fingerprints_with, (Query(CANARY),)
    for dimension in (each for each in DIMENSIONS.values() if each.interned):
        yield names.of_projects, (dimension, [hidden])
        used = await names.of_projects(database, EVERYTHING, dimension, [hidden])
        yield names.by_names, (dimension, [(hidden, row["name"]) for row in used[hidden]])
        ids = [(hidden, row["id"]) for row in used[hidden]]
        if any(dimension in fact.dimensions for fact in APPENDS):
            yield names.seen, (dimension, ids)
        if dimension in LOG_LINES.dimensions:
            chosen = ((dimension, tuple(row["id"] for row in used[hidden])),)
            yield few_series, (Rows(LOG_LINES, log_lines.NEWEST, ids=chosen),)
            yield series_searched, (replace(SEARCH, ids=chosen),)
        for paired in RUNNING:
            if dimension is paired.dimensions[0]:
                yield running.counts, (paired, dimension, NOW, ids)


async def previewed(
    database: Database, scope: Scope, critical: list[int]
) -> AsyncIterator[tuple[str, set[int]]]:
    """What previews read of the last month, with the projects that it is of."""
    start, end = NOW - timedelta(days=30), NOW + timedelta(days=1)
    past = Past(database, scope, start, end, 10_000)
    errors = await past.errors("first_at")
    hours = [(row["project_id"], row["error_id"], full_hour(row["first_at"])) for row in errors]
    times = start, start, end
    rows = {
        "failed": [*await past.failed(DEPLOYMENTS), *await past.failed(BUILDS)],
        "slow": await past.slow(timedelta(), start),
        "errors": [*errors, *await past.errors("regressed_at")],
        "places": await past.places(hours),
        "critical": await past.critical_hours(critical),
        "hours": await past.hours_of_frequent(1),
        "functions": await past.failing_functions(Keep.FINE),
    }
    for name, fact, age in (
        ("running", DEPLOYMENTS, Age.RUNNING),
        ("in force", CERTIFICATES, Age.EXPIRY),
    ):
        rows[name] = await standings(database, scope, (fact, age), times, timedelta(), 10_000)
    for name, found in rows.items():
        yield name, {row["project_id"] for row in found}
    yield "spread", {id for row in await past.spread(1) for id in row["projects"]}


async def reads_of_alerts(
    database: Database, hidden: int
) -> AsyncIterator[tuple[Any, tuple[Any, ...]]]:
    found: dict[str, list[Any]] = {}
    lists = {
        "rule_id": alerts.RULES["name", False],
        "event_id": alerts.EVENTS,
        "channel_id": alerts.CHANNELS,
        "silence_id": alerts.SILENCES,
        "send_id": alerts.SENDS,
    }
    for column, rows in lists.items():
        page = await rows.find(database, Scope.of([hidden]), (), PageRequest(5))
        found[column] = [row[column] for row in page.rows]
        yield alerts.rows_by_id, (rows, column, found[column])
    yield alerts.rules_of, (5, [hidden])
    yield alerts.parts_of, (alerts.INSTANCES, 5, found["rule_id"])
    yield alerts.parts_of, (alerts.REVISIONS, 5, found["rule_id"])
    yield alerts.parts_of, (alerts.ATTEMPTS, 5, found["send_id"])
    (rule_id, *_) = found["rule_id"]
    yield revision_at, (rule_id, NOW)
    yield alert_past.events_at, (rule_id, ["firing"], TODAY, NOW)


async def revision_at(database: Database, scope: Scope, *moment: Any) -> list[Any]:
    return [row for row in [await alert_past.revision_at(database, scope, *moment)] if row]


async def fingerprints_with(database: Database, scope: Scope, query: Query) -> Any:
    return (await find_fingerprints(database, scope, query)).keys


async def series_searched(database: Database, scope: Scope, search: log_lines.Search) -> Any:
    return (await log_lines.prepare(database, scope, search)).series


def found(answer: Any) -> bool:
    return any(answer.values() if isinstance(answer, dict) else answer)
