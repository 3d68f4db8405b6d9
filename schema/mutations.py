"""Mutations: record events, and provision the projects, networks and templates they name."""

from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import provisioning
from schema.admin.erasure import ErasureMutations
from schema.admin.project_keys import ProjectKeyMutations
from schema.admin.rate_limits import RateLimitMutations
from schema.admin.scrub_rules import ScrubRuleMutations
from schema.admin.service_tokens import ServiceTokenMutations
from schema.admin.source_maps import SourceMapMutations
from schema.declarations import mutation, optional
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info
from schema.recording import RecordingMutations
from schema.things.alert_mutations import AlertMutations
from schema.things.error_mutations import ErrorMutations
from schema.things.kept_panels import KeptPanelMutations
from schema.things.members import MemberMutations
from schema.things.networks import Network
from schema.things.notification_mutations import NotificationMutations
from schema.things.projects import Project
from schema.things.silences import SilenceMutations
from schema.things.templates import Template
from storage.dictionaries import TemplateFields


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
class Mutation(
    RecordingMutations,
    RateLimitMutations,
    ServiceTokenMutations,
    ProjectKeyMutations,
    ScrubRuleMutations,
    ErasureMutations,
    MemberMutations,
    KeptPanelMutations,
    SourceMapMutations,
    ErrorMutations,
    AlertMutations,
    NotificationMutations,
    SilenceMutations,
):
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
