"""The likely cause of what fires: the last deployment before it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from alerts.conditions import measure_of
from alerts.instances import Changes
from alerts.rules import StoredRule, Watch
from alerts.states import Transition
from alerts.windows import window_of
from storage.alerts.history import EventRow
from storage.alerts.suspects import Wanted, last_deployments
from storage.connections.database import Connection
from storage.dimensions import ENVIRONMENT
from storage.facts.deployments import DEPLOYMENTS

# A deployment may do its harm so long before the window.
BEFORE_WINDOW = timedelta(hours=1)


async def name_deployments(
    connection: Connection, changes: Changes, rules: Mapping[UUID, StoredRule], now: datetime
) -> None:
    """Adds the likely deployment to the evidence of the instances of projects that fire.

    It is the last one that succeeded, and of rules about deployments the last one that failed.
    """
    firing = [
        event
        for event in changes.events
        if event.transition == Transition.FIRING and event.project_id is not None
    ]
    wanted = list(_wanted(firing, rules, now))
    if not wanted:
        return
    found = await last_deployments(connection, [each for _, each in wanted])
    for (event, _), deployment_id in zip(wanted, found, strict=True):
        if deployment_id is not None:
            event.evidence["deployment_id"] = str(deployment_id)


def _wanted(
    events: Iterable[EventRow], rules: Mapping[UUID, StoredRule], now: datetime
) -> Iterable[tuple[EventRow, Wanted]]:
    for event in events:
        rule = rules.get(event.rule_id)
        if rule is None or event.project_id is None or not isinstance(rule.rule.trigger, Watch):
            continue
        watch = rule.rule.trigger
        names = watch.filter.get(ENVIRONMENT.name, ())
        environment = event.labels.get(ENVIRONMENT.name) or (names[0] if len(names) == 1 else None)
        since = window_of(watch, now).start - BEFORE_WINDOW
        failed = measure_of(watch).fact == DEPLOYMENTS.name
        yield event, Wanted(event.project_id, environment, since, now, failed)
