"""Alerts with their instances, revisions and history."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from alerts.defaults import AUTHOR
from resolvers import alert_explanations as explanations
from resolvers import alert_nodes
from resolvers import alerts as resolvers
from resolvers.identifiers import encode_entity
from resolvers.pages import MAX_PAGE_SIZE, page_size
from schema.declarations import HALF_STATEMENT, STATEMENT, UNCACHED, costs, typed
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.lists.links import links
from schema.nodes import Node, instances_of
from schema.scalars import Long
from schema.selection import look_ahead
from schema.things.alert_enums import (
    AlertGuardKind,
    AlertHealth,
    AlertOutcome,
    AlertRevisionKind,
    AlertSeverity,
    AlertState,
    AlertTransition,
)
from schema.things.alert_rules import AlertTrigger, shown
from schema.things.deployments import Deployment
from schema.things.given import link, read
from storage.facts.deployments import DEPLOYMENTS

if TYPE_CHECKING:
    from schema.things.alert_previews import AlertExplanation
    from schema.things.projects import Project

Of = strawberry.Parent[resolvers.EvidenceOf]
Root = strawberry.Parent[resolvers.Alert]

PROJECT_LINK = Annotated["Project", strawberry.lazy(".projects")] | None
FirstOf = Annotated[int, strawberry.argument(f"The number of them, at most {MAX_PAGE_SIZE}.")]
OF_PROJECT = "The project; null if it is the platform's."


@strawberry.type(description="A label.")
class AlertLabel:
    name: str = read("The name.")
    value: str = read("The value.")


@strawberry.type(description="A component that a value is computed from.")
class AlertComponent:
    name: str = read("The name, such as `succeeded`.")
    value: Long = read("The count.")


@strawberry.type(description="A measure over a time.")
class AlertMeasured:
    start: datetime = read("The start, inside the time.")
    end: datetime = read("The end, outside the time.")
    value: float | None = read("The value; null if there is none.")

    @strawberry.field(description="The components that it was computed from, by name.")
    def components(self) -> list[AlertComponent]:
        return alert_nodes.labels_of(self.counts)  # type: ignore[attr-defined,return-value]


@strawberry.type(description="What a guard said.")
class AlertGuardVerdict:
    kind: Any = typed(AlertGuardKind, "The guard.")
    is_met: bool = read("True if the value is beyond what the guard holds back.")
    trials: int | None = read("The trials in the window; null for other guards.")
    p_value: float | None = read(
        "How often chance alone gives such a value; null for other guards."
    )


@strawberry.type(description="What something happened to.")
class AlertSubject:
    kind: str = read("The name of its type, such as Deployment.")
    title: str = read("What it is called.")
    subject_id: strawberry.ID | None = strawberry.field(
        name="id", description="Its global id; null for alerts of the platform."
    )


@strawberry.type(description="What an evaluation found, as it was stored then.")
class AlertEvidence:
    as_of: datetime = read("The state of the data that was evaluated.")
    outcome: Any = typed(AlertOutcome, "What was found.")
    measure: str | None = read(
        "The measure's name, such as deployments.failure_rate; null for alerts on what happens."
    )
    window: AlertMeasured | None = read(
        "The measure over the window; null for alerts on what happens."
    )
    baseline: AlertMeasured | None = read(
        "The measure over the earlier time; null if none is compared."
    )
    bound: float | None = read("The bound, in the unit of the measure; null without one.")
    guard: AlertGuardVerdict | None = read("What the guard said; null if it was not asked.")

    @strawberry.field(description="What it happened to; null for measures.")
    def subject(self, parent: Of) -> AlertSubject | None:
        subject = parent.found.subject
        if subject is None:
            return None
        project_id = parent.project_id
        id = None if project_id is None else encode_entity(subject.kind, project_id, subject.key)
        shown = None if id is None else strawberry.ID(id)
        return AlertSubject(kind=subject.kind, title=subject.title, subject_id=shown)

    @strawberry.field(
        description="The deployment that probably caused it; null if unknown.",
        metadata=costs(weight=HALF_STATEMENT, facts=(DEPLOYMENTS.name,)),
    )
    async def deployment(self, parent: Of, info: Info) -> Deployment | None:
        wanted = look_ahead(info, links)
        return await resolvers.cause_of(info.context, parent, wanted)  # type: ignore[return-value]

    reason: str | None = read(
        "Why it could not be judged or does not fire, in a sentence; null if it fires."
    )


@strawberry.type(description="An instance of an alert: a group, or what something happened to.")
class AlertInstance:
    name: str = read("The name among the alert's instances; empty for the one without groups.")
    labels: list[AlertLabel] = read("The names of its group, by dimension.")
    state: AlertState = read("The state.")
    since: datetime = read("Since when it is in this state.")
    clear_since: datetime | None = read("Since when it is right, while it still fires; else null.")
    health: AlertHealth = read("Whether the last evaluation could judge.")
    health_since: datetime | None = read("Since when; null if never judged.")
    flapping: bool = read("True if it fires again and again, which is told once.")
    episode_id: UUID | None = read(
        "The id of the firing that lasts, as receivers get it; null if none does."
    )
    value: float | None = read("The value when its state last changed; null if there was none.")
    bound: float | None = read("The bound then; null if there was none.")
    evidence: AlertEvidence | None = read(
        "What was found when its state last changed; null if nothing was stored."
    )
    acknowledged_at: datetime | None = read("When somebody took care of it; null if nobody did.")
    acknowledged_by: str | None = read("The subject of who did; null if nobody did.")


@strawberry.type(description="A revision of an alert.")
class AlertRevision:
    number: int = read("The number, from 1.")
    change: Any = typed(AlertRevisionKind, "What was done.")
    changed_at: datetime = read("When.")
    changed_by: str = read("The subject of the token that did it.")
    name: str | None = read("The name; null once it is deleted.")

    severity: Any = typed(AlertSeverity | None, "The severity; null once it is deleted.")
    enabled: bool | None = read("Whether it was on; null once it is deleted.")
    channels: list[str] | None = read("The channels; null once it is deleted.")

    @strawberry.field(
        description="What makes it fire; null once it is deleted, and if it cannot be evaluated."
    )
    def trigger(self) -> AlertTrigger | None:
        return self.document and shown(self.document.trigger)  # type: ignore[attr-defined]


@strawberry.type(description="Something that happened to an instance of an alert.")
class AlertEvent(Node):
    instance: str = read("The name of the instance.")
    labels: list[AlertLabel] = read("The names of its group, by dimension.")
    transition: Any = typed(AlertTransition, "What happened.")
    at: datetime = read("When.")
    revision: int = read("The alert's revision then.")
    severity: Any = typed(AlertSeverity, "The alert's severity then.")
    episode_id: UUID | None = read("The id of the firing that it belongs to; null if none.")
    evidence: AlertEvidence = read("What was found.")
    by: str | None = read("The subject of who did it; null if nobody did.")
    project = link(alert_nodes.owner_of, PROJECT_LINK, OF_PROJECT)
    alert = link(
        resolvers.alert_of,
        Annotated["Alert", strawberry.lazy(".alerts")] | None,
        "The alert, also if it was deleted since; null on error.",
    )

    is_type_of = instances_of(resolvers.AlertEvent)


@strawberry.type(
    description="An alert: what is watched, when it is wrong, and who is told; with its state."
)
class Alert(Node):
    name: str = read("The name.")
    state: AlertState = read("The worst state of its instances.")
    health: AlertHealth = read("The worst health of its instances; ERROR if it has a problem.")
    problem: str | None = read(
        "Why it cannot be evaluated as it is stored, in a sentence: replace it by updateAlert, or "
        "delete it; null if it can."
    )
    enabled: bool = read("Whether it is evaluated.")
    firing: int = read("How many instances fire.")
    revision: int = read("The number of its revision.")
    created_at: datetime = read("When it was created.")
    created_by: str = read("The subject of the token that created it.")
    changed_at: datetime = read("When it was last changed.")
    changed_by: str = read("The subject of the token that changed it.")
    deleted_at: datetime | None = read("When it was deleted; null if it was not.")
    project = link(alert_nodes.owner_of, PROJECT_LINK, OF_PROJECT)
    severity: Any = typed(AlertSeverity, "How bad it is when it fires.")

    @strawberry.field(description="What makes it fire; null if it has a problem.")
    def trigger(self, parent: Root) -> AlertTrigger | None:
        return shown(parent.document.trigger)

    channels: list[str] = read("The names of the channels that are told.")
    labels: list[AlertLabel] = read("Labels that travel with each message.")
    title: str | None = read("The template of the title; null for the usual one.")
    text: str | None = read("The template of the text; null for the usual one.")
    preset: str | None = read("The name of the preset it was made from; null if none.")

    @strawberry.field(
        description="True if the project got it when it was new; it can be changed and deleted."
    )
    def is_default(self, parent: Root) -> bool:
        return parent.document.preset is not None and parent.created_by == AUTHOR

    @strawberry.field(
        description="The instances that are or were not inactive, those that fire first; null on "
        "error.",
        metadata=costs(weight=HALF_STATEMENT),
    )
    async def instances(
        self, parent: Root, info: Info, first: FirstOf = 10
    ) -> list[AlertInstance] | None:
        return await resolvers.instances_of(info.context, parent, first)  # type: ignore[return-value]

    @strawberry.field(
        description="Its revisions, newest first; null on error.",
        metadata=costs(weight=HALF_STATEMENT),
    )
    async def revisions(
        self, parent: Root, info: Info, first: FirstOf = 10
    ) -> list[AlertRevision] | None:
        return await resolvers.revisions_of(info.context, parent, first)  # type: ignore[return-value]

    @strawberry.field(
        description="What happened to it, newest first; null on error.",
        metadata=costs(weight=STATEMENT),
    )
    async def events(
        self,
        parent: Root,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[AlertEvent] | None:
        page = page_arguments(info, first, after, last, before)
        return await resolvers.events_of(info.context, parent, page)  # type: ignore[return-value]

    @strawberry.field(
        description="Why it fired at a moment, or did not; null on error.",
        metadata=costs(weight=3 * STATEMENT, facts=UNCACHED),
    )
    async def explain(
        self,
        parent: Root,
        info: Info,
        at: Annotated[datetime | None, strawberry.argument("The moment; now by default.")] = None,
        first: FirstOf = 10,
    ) -> Annotated["AlertExplanation", strawberry.lazy(".alert_previews")] | None:
        return await explanations.explain(info.context, parent, at, page_size(first))  # type: ignore[return-value]

    is_type_of = instances_of(resolvers.Alert)
