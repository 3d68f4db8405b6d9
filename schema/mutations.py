"""Mutations: record events, and provision the projects, networks and templates they name."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from access.viewers import Permission
from resolvers import provisioning, recording
from resolvers.recording import MAX_EVENTS
from schema.admin.rate_limits import RateLimitMutations
from schema.admin.service_tokens import ServiceTokenMutations
from schema.declarations import mutation, optional
from schema.enums import DeploymentEventType, EventOutcome
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info
from schema.scalars import Json, write_date_time
from schema.selection import look_ahead
from schema.things.deployments import Deployment, links_of_deployment
from schema.things.networks import Network
from schema.things.projects import Project
from schema.things.templates import Template
from storage.dimensions import TemplateFields


@strawberry.type(description="The outcome of one event.")
class EventResult:
    index: int = strawberry.field(description="The position in the input, from 0.")
    id: str | None = strawberry.field(description="The event's id; null if it was unreadable.")
    status: EventOutcome = strawberry.field(description="The outcome.")
    path: str | None = strawberry.field(
        description="The path of the error inside the event; null without one."
    )
    code: str | None = strawberry.field(
        description="The reason for a rejection, or a warning; null without either."
    )
    message: str | None = strawberry.field(description="The code in words; null without a code.")


@strawberry.input(description="An event of a deployment.")
class DeploymentEventInput:
    type: DeploymentEventType = strawberry.field(description="What happened.")
    deployment: str = strawberry.field(
        description="The deployment's id: a UUID, or any text that is unique in the project."
    )
    project: str | None = optional(
        "The project's slug; by default the only project of the token, if it has just one."
    )
    id: str | None = optional(
        "The event's id; another event with it is a duplicate. Without an id, an event with the "
        "same content is a duplicate, and `time` is required."
    )
    time: datetime | None = optional("When it happened; now by default.")
    environment: str | None = optional("The environment's name.")
    network: str | None = optional("The network's name.")
    template: str | None = optional("The template's slug.")
    framework: str | None = optional("The framework's name.")
    duration_ms: float | None = optional("The time from start to finish, in milliseconds.")
    actor: str | None = optional("Who caused it.")
    to_deployment: str | None = optional("For a rollback: the deployment that is live again.")
    error: str | None = optional("Why it failed.")
    attributes: Json | None = optional("Further data to store: a JSON object.")
    source: str | None = optional("The system that reports it; event ids are unique within it.")

    def event(self) -> dict[str, Any]:
        """Converts the event to the form that POST /v1/events takes."""
        given = {
            to_camel_case(name): value for name, value in vars(self).items() if value is not None
        }
        given["type"] = self.type.name.lower()
        if self.time is not None:
            given["time"] = write_date_time(self.time)
        return given


@strawberry.type(description="The result of recordDeployment.")
class RecordDeploymentPayload:
    deployment: Deployment | None = strawberry.field(
        description="The deployment after the event; null if the event was rejected or the token "
        "may not read."
    )
    result: EventResult = strawberry.field(description="The outcome of the event.")
    user_errors: list[UserError] = strawberry.field(description="Why the event was rejected.")


@strawberry.type(description="The result of recordDeploymentEvents.")
class RecordDeploymentEventsPayload:
    results: list[EventResult] = strawberry.field(
        description="The outcome of each event, in the order of the input."
    )
    user_errors: list[UserError] = strawberry.field(description="Why events were rejected.")


@strawberry.input(description="A project to create or rename.")
class ProjectInput:
    slug: str = strawberry.field(description="The slug, as in events; it never changes.")
    name: str | None = optional("The name for people; unchanged by default.")


@strawberry.input(description="A network to create or change.")
class NetworkInput:
    name: str = strawberry.field(description="The name in lower case; it never changes.")
    title: str | None = optional("The name for people; unchanged by default.")
    chain_id: str | None = optional("The chain id in decimal digits; unchanged by default.")


@strawberry.input(description="A template to create or change.")
class TemplateInput:
    slug: str = strawberry.field(description="The slug; it never changes.")
    name: str | None = optional("The name for people; unchanged by default.")
    description: str | None = optional("What it is; unchanged by default.")
    category: str | None = optional("What it is for; unchanged by default.")
    tags: list[str] | None = optional("Words to find it by; unchanged by default.")


@strawberry.type(description="The result of upsertProject.")
class UpsertProjectPayload:
    project: Project | None = strawberry.field(description="The project; null if refused.")
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.type(description="The result of upsertNetwork.")
class UpsertNetworkPayload:
    network: Network | None = strawberry.field(description="The network; null if refused.")
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.type(description="The result of upsertTemplate.")
class UpsertTemplatePayload:
    template: Template | None = strawberry.field(description="The template; null if refused.")
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.type(description="All mutations.")
class Mutation(RateLimitMutations, ServiceTokenMutations):
    @mutation(
        Permission.RECORD,
        "Records one event of a deployment.",
        targets=("id", "project"),
        events="input",
    )
    async def record_deployment(
        self, info: Info, input: Annotated[DeploymentEventInput, strawberry.argument("The event.")]
    ) -> RecordDeploymentPayload:
        wanted = look_ahead(info, links_of_deployment)
        return await recording.record_deployment(info.context, input.event(), wanted)  # type: ignore[return-value]

    @mutation(
        Permission.RECORD,
        "Records several events; a rejected one does not affect the others.",
        targets=(),
        events="inputs",
    )
    async def record_deployment_events(
        self,
        info: Info,
        inputs: Annotated[
            list[DeploymentEventInput], strawberry.argument(f"The events, at most {MAX_EVENTS}.")
        ],
    ) -> RecordDeploymentEventsPayload:
        given = [event.event() for event in inputs]
        return await recording.record_events(info.context, given)  # type: ignore[return-value]

    @mutation(Permission.PROVISION, "Creates or renames a project.", targets=("slug",))
    async def upsert_project(
        self, info: Info, input: Annotated[ProjectInput, strawberry.argument("The project.")]
    ) -> UpsertProjectPayload:
        done = await provisioning.upsert_project(info.context, input.slug, input.name)
        return UpsertProjectPayload(project=done.node, user_errors=done.user_errors)  # type: ignore[arg-type]

    @mutation(Permission.PROVISION, "Creates or changes a network.", targets=("name",))
    async def upsert_network(
        self, info: Info, input: Annotated[NetworkInput, strawberry.argument("The network.")]
    ) -> UpsertNetworkPayload:
        done = await provisioning.upsert_network(
            info.context, input.name, input.title, input.chain_id
        )
        return UpsertNetworkPayload(network=done.node, user_errors=done.user_errors)  # type: ignore[arg-type]

    @mutation(Permission.PROVISION, "Creates or changes a template.", targets=("slug",))
    async def upsert_template(
        self, info: Info, input: Annotated[TemplateInput, strawberry.argument("The template.")]
    ) -> UpsertTemplatePayload:
        tags = None if input.tags is None else tuple(input.tags)
        fields = TemplateFields(input.slug, input.name, input.description, input.category, tags)
        done = await provisioning.upsert_template(info.context, fields)
        return UpsertTemplatePayload(template=done.node, user_errors=done.user_errors)  # type: ignore[arg-type]
