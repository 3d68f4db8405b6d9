"""Alerts: rules with their state, their instances and revisions, and what happened to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any
from uuid import UUID

from alerts.documents import Document, read_document
from alerts.evidence import EVIDENCE, Evidence
from alerts.states import Health, Phase, Transition
from analytics.periods import Range
from resolvers.alert_nodes import (
    MAX_VALUES,
    AlertNode,
    column,
    labels_of,
    node_of,
    required_key,
    scope_of,
)
from resolvers.context import Context
from resolvers.entities import Deployment, Links
from resolvers.entity_fields import uuid_of
from resolvers.error_fields import deployment_by_id
from resolvers.identifiers import decode
from resolvers.lists import checked_search
from resolvers.pages import Connection, PageArguments, page_size, table_page
from resolvers.provisioned import Project
from storage.alerts import reads as reading
from storage.errors import InvalidInput
from storage.queries import alerts as queries
from storage.queries.conditions import Condition, Filter, Operator

# What people are told about, and find in their list of what they have not read.
TOLD = (
    Transition.FIRING,
    Transition.RESOLVED,
    Transition.GONE,
    Transition.FLAPPING,
    Transition.FAILING,
)
# Who never read the list finds what happened in this time.
UNREAD_FOR = timedelta(days=30)
_NEXT = timedelta(microseconds=1)


class Alert(AlertNode):
    """A rule, also one that was deleted, with the worst state of its instances."""

    key_column = "rule_id"
    rule_id = column("rule_id")
    revision = column("revision")
    created_at = column("created_at")
    created_by = column("created_by")
    changed_at = column("changed_at")
    changed_by = column("changed_by")
    deleted_at = column("deleted_at")
    firing = column("firing")
    name = property(lambda self: self.row["name"])
    rank = column("rank")
    state = property(lambda self: Phase(self.row["state"]))
    enabled = column("enabled")
    problem = property(attrgetter("document.problem"))
    severity = property(attrgetter("document.severity"))
    channels = property(attrgetter("document.channels"))
    labels = property(lambda self: labels_of(self.document.labels))
    title = property(attrgetter("document.title"))
    text = property(attrgetter("document.text"))
    preset = property(attrgetter("document.preset"))

    @property
    def health(self) -> Health:
        """The worst of its instances, or ERROR where the rule cannot be evaluated at all."""
        cannot = self.document.problem is not None and self.deleted_at is None and self.enabled
        return max(Health(self.row["health"]), Health.ERROR if cannot else Health.OK)

    @cached_property
    def document(self) -> Document:
        return read_document(self.row["document"])


class AlertEvent(AlertNode):
    """A transition of an instance."""

    key_column = "event_id"
    event_id = column("event_id")
    rule_id = column("rule_id")
    instance = column("instance")
    episode_id = column("episode_id")
    transition = column("transition")
    at = column("at")
    revision = column("revision")
    severity = column("severity")
    by = column("by")
    labels = property(lambda self: labels_of(self.row["labels"]))

    @cached_property
    def evidence(self) -> EvidenceOf:
        return EvidenceOf(EVIDENCE.validate_python(self.row["evidence"]), self.project_id)


class Instance:
    """An instance of a rule that is or was not inactive."""

    def __init__(self, row: Any) -> None:
        self.row = row

    project_id = column("project_id")
    name = column("instance")
    since = column("since")
    clear_since = column("clear_since")
    health_since = column("health_since")
    flapping = column("flapping")
    episode_id = column("episode_id")
    value = column("value")
    bound = column("bound")
    acknowledged_at = column("acknowledged_at")
    acknowledged_by = column("acknowledged_by")
    state = property(lambda self: Phase(self.row["phase"]))
    health = property(lambda self: Health(self.row["health"]))
    labels = property(lambda self: labels_of(self.row["labels"]))

    @property
    def evidence(self) -> EvidenceOf | None:
        found = self.row["evidence"]
        return found and EvidenceOf(EVIDENCE.validate_python(found), self.project_id)


@dataclass(frozen=True, slots=True)
class EvidenceOf:
    """What was found, in which project; None for the platform."""

    found: Evidence
    project_id: int | None

    as_of = property(attrgetter("found.as_of"))
    outcome = property(attrgetter("found.outcome"))
    measure = property(attrgetter("found.measure"))
    window = property(attrgetter("found.window"))
    baseline = property(attrgetter("found.baseline"))
    bound = property(attrgetter("found.bound"))
    guard = property(attrgetter("found.guard"))
    reason = property(attrgetter("found.reason"))


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of a rule; ``name`` and ``document`` are None once it is deleted."""

    number: int
    change: str
    changed_at: datetime
    changed_by: str
    name: str | None
    document: Document | None

    severity = property(lambda self: self.document and self.document.severity)
    enabled = property(lambda self: self.document and self.document.enabled)
    channels = property(lambda self: self.document and self.document.channels)

    @classmethod
    def of(cls, row: Any) -> Revision:
        stored = row["document"]
        document = None if stored is None else read_document(stored)
        name = stored.get("name") if isinstance(stored, Mapping) else None
        made = row["revision"], row["change"], row["changed_at"], row["changed_by"]
        return cls(*made, name if isinstance(name, str) else None, document)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The arguments of a list of rules; None for what does not filter."""

    order: str = "state"
    descending: bool = True
    projects: Sequence[str] | None = None
    severities: Collection[str] | None = None
    states: Collection[int] | None = None
    enabled: bool | None = None
    deleted: bool = False
    platform: bool | None = None
    search: str | None = None

    def conditions(self) -> Filter:
        """The conditions on columns of rules; raises InvalidInput or LimitExceeded."""
        found = [Condition(("is_deleted",), Operator.EQ, self.deleted)]
        found += _any_of({"severity": self.severities, "state": self.states})
        for name, value in (("enabled", self.enabled), ("is_platform", self.platform)):
            if value is not None:
                found.append(Condition((name,), Operator.EQ, value))
        if self.search:
            found.append(Condition(("name",), Operator.CONTAINS, checked_search(self.search)))
        return tuple(found)


def _any_of(given: dict[str, Collection[Any] | None]) -> list[Condition]:
    return [
        Condition((column,), Operator.IN, sorted(set(values)))
        for column, values in given.items()
        if values is not None
    ]


async def alerts(context: Context, wanted: Wanted, page: PageArguments) -> Connection[Alert]:
    """Returns a page of the rules in scope; the platform's are for admins alone."""
    scope = await scope_of(context, wanted.projects)
    rows = queries.RULES[wanted.order, wanted.descending]
    return await table_page(context, page, rows, Alert, wanted.conditions(), scope=scope)


@dataclass(frozen=True, slots=True)
class WantedEvents:
    """The arguments of a list of what happened; None for what does not filter."""

    projects: Sequence[str] | None = None
    alerts: Sequence[str] | None = None
    severities: Collection[str] | None = None
    transitions: Collection[str] | None = None
    range: Range | None = None

    def conditions(self) -> Filter:
        """The conditions on columns of events; raises InvalidInput or LimitExceeded."""
        found = _any_of({"severity": self.severities, "transition": self.transitions})
        if self.alerts is not None:
            page_size(len(self.alerts), "alerts", MAX_VALUES)
            ids = [required_key(id, "Alert", "alerts") for id in self.alerts]
            found.append(Condition(("rule_id",), Operator.IN, ids))
        if self.range is not None:
            found.append(Condition(("at",), Operator.GTE, self.range.start))
            found.append(Condition(("at",), Operator.LT, self.range.end))
        return tuple(found)


async def events(
    context: Context, wanted: WantedEvents, page: PageArguments
) -> Connection[AlertEvent]:
    """Returns a page of what happened to rules in scope, newest first."""
    scope = await scope_of(context, wanted.projects)
    filter = wanted.conditions()
    return await table_page(context, page, queries.EVENTS, AlertEvent, filter, scope=scope)


async def events_of(context: Context, alert: Alert, page: PageArguments) -> Connection[AlertEvent]:
    """Returns a page of what happened to a rule, newest first."""
    of_rule = (Condition(("rule_id",), Operator.EQ, alert.rule_id),)
    return await table_page(context, page, queries.EVENTS, AlertEvent, of_rule)


async def unread(context: Context, page: PageArguments) -> Connection[AlertEvent]:
    """Returns a page of what people are told about and the viewer has not marked as read."""
    read_at = await reading.read_at(context.services.database, context.viewer.subject)
    earliest = context.now - UNREAD_FOR
    since = earliest if read_at is None else max(read_at + _NEXT, earliest)
    filter = (
        Condition(("transition",), Operator.IN, TOLD),
        Condition(("at",), Operator.GTE, since),
    )
    return await table_page(context, page, queries.EVENTS, AlertEvent, filter)


async def alert_by_key(context: Context, project_id: int, key: str) -> Alert | None:
    return await node_of(context, Alert, ANY_ORDER, project_id, key)


async def event_by_key(context: Context, project_id: int, key: str) -> AlertEvent | None:
    return await node_of(context, AlertEvent, queries.EVENTS, project_id, key)


ANY_ORDER = queries.RULES["name", False]


async def alert(context: Context, id: str) -> Alert | None:
    """Returns the rule of a global id, also a deleted one; None if there is none in scope."""
    identifier = decode(id)
    if identifier.kind != "Alert":
        raise InvalidInput(f"This is the id of {identifier.kind}, not of Alert.", path="id")
    if identifier.number is None:
        return None
    return await alert_by_key(context, identifier.number, identifier.key)


async def alerts_by_keys(context: Context, keys: Sequence[tuple[int, UUID]]) -> list[Alert]:
    """Returns the rules in scope that exist and are not deleted, read by one statement."""
    loader = context.loaders.of(queries.rows_by_id, ANY_ORDER, "rule_id")
    rows = await loader.load_many([key for _, key in keys])
    return [Alert(row) for row in rows if row is not None and not row["is_deleted"]]


async def alert_of(context: Context, event: AlertEvent) -> Alert | None:
    """Returns the rule that an event is of."""
    row = await context.loaders.of(queries.rows_by_id, ANY_ORDER, "rule_id").load(event.rule_id)
    return None if row is None else Alert(row)


async def alerts_of_project(context: Context, project: Project, first: int) -> list[Alert]:
    """Returns the first rules of a project, those that fire first."""
    page_size(first)
    rows = await context.loaders.of(queries.rules_of, first).load(project.project_id)
    return [Alert(row) for row in rows or ()]


async def instances_of(context: Context, alert: Alert, first: int) -> list[Instance]:
    page_size(first)
    rows = await context.loaders.of(queries.parts_of, queries.INSTANCES, first).load(alert.rule_id)
    return [Instance(row) for row in rows or ()]


async def revisions_of(context: Context, alert: Alert, first: int) -> list[Revision]:
    page_size(first)
    rows = await context.loaders.of(queries.parts_of, queries.REVISIONS, first).load(alert.rule_id)
    return [Revision.of(row) for row in rows or ()]


async def cause_of(context: Context, evidence: EvidenceOf, links: Links) -> Deployment | None:
    """Returns the deployment that probably caused it."""
    uuid = uuid_of(evidence.found.deployment_id or "")
    if uuid is None or evidence.project_id is None:
        return None
    return await deployment_by_id(context, evidence.project_id, uuid, links)
