"""The query type."""

from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import (
    entities,
    events,
    names,
    nodes,
    provisioned,
    running,
)
from schema.admin.audit import AuditQueries
from schema.admin.project_keys import ProjectKeyQueries
from schema.admin.rate_limits import RateLimitQueries
from schema.admin.scrub_rules import ScrubRuleQueries
from schema.admin.service_tokens import ServiceTokenQueries
from schema.admin.source_maps import SourceMapQueries
from schema.declarations import ANY_TOKEN, field
from schema.enums import Role
from schema.figures.fields import FigureQueries
from schema.figures.filters import filter_argument, filter_names
from schema.figures.metrics import MetricQueries
from schema.info import Info
from schema.lists.connections import (
    After,
    Before,
    Connection,
    First,
    Last,
    page_arguments,
)
from schema.lists.links import links
from schema.lists.rows import entity_field, list_field, names_field
from schema.nodes import Node
from schema.selection import has_parts, look_ahead
from schema.things.alert_lists import AlertQueries
from schema.things.alert_previews import AlertPreviewQueries
from schema.things.builds import Build
from schema.things.causes import SignatureQueries
from schema.things.certificates import Certificate
from schema.things.deployments import Deployment
from schema.things.error_lists import ErrorQueries
from schema.things.functions import (
    ApiCall,
    Endpoint,
    Function,
    FunctionInvocation,
    RunningFirst,
    RunningInvocation,
)
from schema.things.log_lines import LogQueries
from schema.things.models import Model, ModelCall
from schema.things.networks import Network
from schema.things.notification_channels import NotificationQueries
from schema.things.projects import Project
from schema.things.samples import Sample
from schema.things.silences import SilenceQueries
from schema.things.templates import Template
from schema.things.verdicts import VerdictQueries
from schema.viewer import Viewer
from storage.facts.api_calls import API_CALLS
from storage.facts.invocations import INVOCATIONS
from storage.facts.model_calls import MODEL_CALLS

Search = Annotated[
    str | None, strawberry.argument("Only those whose slug or name contains this text.")
]


@strawberry.type(description="All queries.")
class Query(
    FigureQueries,
    MetricQueries,
    AuditQueries,
    RateLimitQueries,
    ServiceTokenQueries,
    ProjectKeyQueries,
    ScrubRuleQueries,
    VerdictQueries,
    SignatureQueries,
    SourceMapQueries,
    ErrorQueries,
    LogQueries,
    AlertQueries,
    AlertPreviewQueries,
    NotificationQueries,
    SilenceQueries,
):
    @field(ANY_TOKEN, "The holder of the token.", kept=True, facts=(), personal=True)
    def viewer(self, info: Info) -> Viewer:
        viewer = info.context.viewer
        return Viewer(subject=viewer.subject, roles=[Role(role) for role in sorted(viewer.roles)])

    @field(Permission.READ, "An object by its global id; null if you can see none.", kept=True)
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument("The global id.")]
    ) -> Node | None:
        return await nodes.node(info.context, id, look_ahead(info, links))

    @field(
        Permission.READ, "Objects by their global ids, in the same order; null on error.", kept=True
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID], strawberry.argument(f"The global ids, at most {nodes.MAX_NODES}.")
        ],
    ) -> list[Node | None] | None:
        return await nodes.nodes(info.context, ids, look_ahead(info, links))

    @field(Permission.READ, "A network by its name; null if there is none.", kept=True, facts=())
    async def network(
        self, info: Info, name: Annotated[str, strawberry.argument("The name, such as metis.")]
    ) -> Network | None:
        parts = look_ahead(info, has_parts)
        return await provisioned.by_name(info.context, provisioned.Network, name, defer=parts)  # type: ignore[return-value]

    @field(Permission.READ, "All networks, by name; null on error.", kept=True, facts=(), items=20)
    async def networks(self, info: Info) -> list[Network] | None:
        return await provisioned.networks(info.context)  # type: ignore[return-value]

    @field(Permission.READ, "A template by its slug; null if there is none.", kept=True, facts=())
    async def template(
        self, info: Info, slug: Annotated[str, strawberry.argument("The slug.")]
    ) -> Template | None:
        parts = look_ahead(info, has_parts)
        return await provisioned.by_name(info.context, provisioned.Template, slug, defer=parts)  # type: ignore[return-value]

    @field(Permission.READ, "All templates, by slug; null on error.", kept=True, facts=())
    async def templates(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        search: Search = None,
        category: Annotated[
            str | None, strawberry.argument("Only templates of this category.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Template] | None:
        page = page_arguments(info, first, after, last, before)
        return await provisioned.templates(info.context, page, search, category)  # type: ignore[return-value]

    @field(Permission.READ, "A project by its slug; null if you can see none.", kept=True, facts=())
    async def project(
        self, info: Info, slug: Annotated[str, strawberry.argument("The slug.")]
    ) -> Project | None:
        parts = look_ahead(info, has_parts)
        return await provisioned.by_name(info.context, provisioned.Project, slug, defer=parts)  # type: ignore[return-value]

    @field(
        Permission.READ, "The projects you can see, by slug; null on error.", kept=True, facts=()
    )
    async def projects(
        self,
        info: Info,
        search: Search = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Project] | None:
        page = page_arguments(info, first, after, last, before)
        return await provisioned.projects(info.context, page, search)  # type: ignore[return-value]

    deployment = entity_field(entities.Deployment, Deployment)
    deployments = list_field(entities.Deployment, Deployment)
    certificate = entity_field(entities.Certificate, Certificate)
    certificates = list_field(entities.Certificate, Certificate)
    build = entity_field(entities.Build, Build)
    builds = list_field(entities.Build, Build)
    function_invocations = list_field(events.FunctionInvocation, FunctionInvocation)
    api_calls = list_field(events.ApiCall, ApiCall)
    model_calls = list_field(events.ModelCall, ModelCall)
    samples = list_field(events.Sample, Sample)
    functions = names_field(names.Function, Function, INVOCATIONS)
    endpoints = names_field(names.Endpoint, Endpoint, API_CALLS)
    models = names_field(names.Model, Model, MODEL_CALLS)

    @field(
        Permission.READ,
        "The function invocations that run now, newest first; null on error.",
        facts=(INVOCATIONS.name,),
    )
    async def running_invocations(
        self,
        info: Info,
        filter: filter_argument(INVOCATIONS) = None,  # type: ignore[valid-type]
        first: RunningFirst = 50,
    ) -> list[RunningInvocation] | None:
        chosen = filter_names(filter)
        return await running.running_invocations(info.context, chosen, first)  # type: ignore[return-value]
