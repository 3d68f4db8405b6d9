"""Mutations: recording events and provisioning what they name."""

from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from ingest import events
from resolvers import provisioning, recording
from resolvers.recording import MAX_EVENTS
from schema.admin.rate_limits import RateLimitMutations
from schema.admin.service_tokens import ServiceTokenMutations
from schema.declarations import mutation
from schema.enums import DeploymentEventType
from schema.errors import UserError
from schema.info import Info
from schema.scalars import Json, write_date_time
from schema.selection import Selected, Selection, look_ahead
from schema.things.deployments import Deployment, links
from schema.things.networks import Network
from schema.things.projects import Project
from schema.things.templates import Template
from storage.dimensions import TemplateFields


@strawberry.enum(description="What became of an event.")
class EventOutcome(Enum):
    ACCEPTED = strawberry.enum_value(events.EventStatus.ACCEPTED, description="It is stored.")
    DUPLICATE = strawberry.enum_value(
        events.EventStatus.DUPLICATE,
        description="Its id and time were stored before; the code says if it had other content.",
    )
    REJECTED = strawberry.enum_value(
        events.EventStatus.REJECTED, description="It is not stored; the code says why."
    )


@strawberry.type(description="What became of one event.")
class EventResult:
    index: int = strawberry.field(description="Its place in the input, from 0.")
    id: str | None = strawberry.field(description="Its id; null when it could not be read.")
    status: EventOutcome = strawberry.field(description="What became of it.")
    path: str | None = strawberry.field(
        description="Where in it the trouble is; null when there is none."
    )
    code: str | None = strawberry.field(
        description="Why it was rejected, or what to know about it; null when all is well."
    )
    message: str | None = strawberry.field(
        description="The same for people; null when all is well."
    )


@strawberry.input(description="Something that happened to a deployment.")
class DeploymentEventInput:
    type: DeploymentEventType = strawberry.field(description="What happened.")
    deployment: str = strawberry.field(
        description="The deployment's id: a UUID, or any text that is unique in the project."
    )
    project: str | None = strawberry.field(
        default=None,
        description="The project's slug; may be left out by a viewer who has just one.",
    )
    id: str | None = strawberry.field(
        default=None,
        description="The event's own id. The same id again is a duplicate; without one, the same "
        "content again is, and `time` is required.",
    )
    time: datetime | None = strawberry.field(
        default=None, description="When it happened; now, when left out."
    )
    environment: str | None = strawberry.field(default=None, description="Its environment.")
    network: str | None = strawberry.field(default=None, description="Its network, by name.")
    template: str | None = strawberry.field(default=None, description="Its template, by slug.")
    framework: str | None = strawberry.field(default=None, description="Its framework.")
    duration_ms: float | None = strawberry.field(
        default=None, description="How long it took from start to finish, in milliseconds."
    )
    actor: str | None = strawberry.field(default=None, description="Who caused it.")
    to_deployment: str | None = strawberry.field(
        default=None, description="For a rollback: the deployment that is live again."
    )
    error: str | None = strawberry.field(default=None, description="What went wrong.")
    attributes: Json | None = strawberry.field(
        default=None, description="Whatever else is worth keeping: a JSON object."
    )
    source: str | None = strawberry.field(
        default=None, description="The system that reports it; ids are unique within it."
    )

    def event(self) -> dict[str, Any]:
        """The event as POST /v1/events would bring it."""
        given = {
            "type": self.type.name.lower(),
            "deployment": self.deployment,
            "project": self.project,
            "id": self.id,
            "time": None if self.time is None else write_date_time(self.time),
            "environment": self.environment,
            "network": self.network,
            "template": self.template,
            "framework": self.framework,
            "durationMs": self.duration_ms,
            "actor": self.actor,
            "toDeployment": self.to_deployment,
            "error": self.error,
            "attributes": self.attributes,
            "source": self.source,
        }
        return {name: value for name, value in given.items() if value is not None}


@strawberry.type(description="The answer to recordDeployment.")
class RecordDeploymentPayload:
    deployment: Deployment | None = strawberry.field(
        description="The deployment as it now is; null when the event was rejected, or when the "
        "token may record and not read."
    )
    result: EventResult = strawberry.field(description="What became of the event.")
    user_errors: list[UserError] = strawberry.field(description="What its sender can mend.")


@strawberry.type(description="The answer to recordDeploymentEvents.")
class RecordDeploymentEventsPayload:
    results: list[EventResult] = strawberry.field(
        description="What became of each event, in the order of the input."
    )
    user_errors: list[UserError] = strawberry.field(description="What their sender can mend.")


@strawberry.input(description="A project to make known, or to rename.")
class ProjectInput:
    slug: str = strawberry.field(
        description="Its short name, as events may name it; it never changes."
    )
    name: str | None = strawberry.field(
        default=None, description="Its name for people; left as it is when not given."
    )


@strawberry.input(description="A network to make known, or to change.")
class NetworkInput:
    name: str = strawberry.field(description="Its short name in lower case; it never changes.")
    title: str | None = strawberry.field(
        default=None, description="Its name for people; left as it is when not given."
    )
    chain_id: str | None = strawberry.field(
        default=None, description="Its chain's number in digits; left as it is when not given."
    )


@strawberry.input(description="A template to make known, or to change.")
class TemplateInput:
    slug: str = strawberry.field(description="Its short name, which never changes.")
    name: str | None = strawberry.field(
        default=None, description="Its name for people; left as it is when not given."
    )
    description: str | None = strawberry.field(
        default=None, description="What it is; left as it is when not given."
    )
    category: str | None = strawberry.field(
        default=None, description="What it is for; left as it is when not given."
    )
    tags: list[str] | None = strawberry.field(
        default=None, description="Words to find it by; left as they are when not given."
    )


@strawberry.type(description="The answer to upsertProject.")
class UpsertProjectPayload:
    project: Project | None = strawberry.field(
        description="The project as it now is; null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description="What stands in the way.")


@strawberry.type(description="The answer to upsertNetwork.")
class UpsertNetworkPayload:
    network: Network | None = strawberry.field(
        description="The network as it now is; null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description="What stands in the way.")


@strawberry.type(description="The answer to upsertTemplate.")
class UpsertTemplatePayload:
    template: Template | None = strawberry.field(
        description="The template as it now is; null when refused."
    )
    user_errors: list[UserError] = strawberry.field(description="What stands in the way.")


def _recorded_links(selection: Selection, fields: list[Selected]) -> Any:
    return links(selection, selection.below(fields, "deployment"))


@strawberry.type(description="Where every mutation begins.")
class Mutation(RateLimitMutations, ServiceTokenMutations):
    @mutation(
        Permission.RECORD,
        "Record one event of a deployment.",
        targets=("id", "project"),
        events="input",
    )
    async def record_deployment(
        self,
        info: Info,
        input: Annotated[DeploymentEventInput, strawberry.argument(description="The event.")],
    ) -> RecordDeploymentPayload:
        wanted = look_ahead(info, _recorded_links)
        return await recording.record_deployment(info.context, input.event(), wanted)  # type: ignore[return-value]

    @mutation(
        Permission.RECORD,
        "Record several events; a bad one does not keep the others out.",
        targets=(),
        events="inputs",
    )
    async def record_deployment_events(
        self,
        info: Info,
        inputs: Annotated[
            list[DeploymentEventInput],
            strawberry.argument(description=f"The events, at most {MAX_EVENTS}."),
        ],
    ) -> RecordDeploymentEventsPayload:
        given = [event.event() for event in inputs]
        return await recording.record_events(info.context, given)  # type: ignore[return-value]

    @mutation(Permission.PROVISION, "Make a project known or rename it.", targets=("slug",))
    async def upsert_project(
        self,
        info: Info,
        input: Annotated[ProjectInput, strawberry.argument(description="The project.")],
    ) -> UpsertProjectPayload:
        done = await provisioning.upsert_project(info.context, input.slug, input.name)
        return UpsertProjectPayload(project=done.node, user_errors=done.user_errors)  # type: ignore[arg-type]

    @mutation(Permission.PROVISION, "Make a network known or change it.", targets=("name",))
    async def upsert_network(
        self,
        info: Info,
        input: Annotated[NetworkInput, strawberry.argument(description="The network.")],
    ) -> UpsertNetworkPayload:
        done = await provisioning.upsert_network(
            info.context, input.name, input.title, input.chain_id
        )
        return UpsertNetworkPayload(network=done.node, user_errors=done.user_errors)  # type: ignore[arg-type]

    @mutation(Permission.PROVISION, "Make a template known or change it.", targets=("slug",))
    async def upsert_template(
        self,
        info: Info,
        input: Annotated[TemplateInput, strawberry.argument(description="The template.")],
    ) -> UpsertTemplatePayload:
        fields = TemplateFields(
            slug=input.slug,
            name=input.name,
            description=input.description,
            category=input.category,
            tags=None if input.tags is None else tuple(input.tags),
        )
        done = await provisioning.upsert_template(info.context, fields)
        return UpsertTemplatePayload(template=done.node, user_errors=done.user_errors)  # type: ignore[arg-type]
