"""The query type."""

from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import deployment_pages, deployments, networks, nodes, projects, templates
from schema.admin.audit import AuditQueries
from schema.admin.rate_limits import RateLimitQueries
from schema.admin.service_tokens import ServiceTokenQueries
from schema.declarations import ANY_TOKEN, field
from schema.enums import Role
from schema.figures import measures as catalogue
from schema.figures.filters import FilterArgument
from schema.figures.measures import MeasureInfo
from schema.figures.metrics import MetricQueries
from schema.figures.ranges import UTC, RangeArgument, ZoneArgument
from schema.info import Info
from schema.lists.connections import (
    After,
    Before,
    Connection,
    First,
    Last,
    item_fields,
    page_arguments,
)
from schema.lists.filters import DeploymentFilter, DeploymentOrder
from schema.nodes import Node
from schema.selection import Selected, Selection, has_parts, look_ahead
from schema.things.deployments import Deployment, links
from schema.things.networks import Network
from schema.things.projects import Project
from schema.things.statistics import DeploymentStats, load_named
from schema.things.templates import Template
from schema.viewer import Viewer
from storage.queries.conditions import All

Search = Annotated[
    str | None, strawberry.argument("Only those whose slug or name contains this text.")
]


def _item_links(selection: Selection, fields: list[Selected]) -> deployments.Links:
    return links(selection, item_fields(selection, fields))


@strawberry.type(description="All queries.")
class Query(MetricQueries, AuditQueries, RateLimitQueries, ServiceTokenQueries):
    @field(ANY_TOKEN, "The holder of the token.", kept=True, personal=True)
    def viewer(self, info: Info) -> Viewer:
        viewer = info.context.viewer
        return Viewer(subject=viewer.subject, roles=[Role(role) for role in sorted(viewer.roles)])

    @field(Permission.READ, "An object by its global id; null if you can see none.", kept=True)
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument("The global id.")]
    ) -> Node | None:
        return await nodes.node(info.context, id, look_ahead(info, links))

    @field(Permission.READ, "Objects by their global ids, in the same order.", kept=True)
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID], strawberry.argument(f"The global ids, at most {nodes.MAX_NODES}.")
        ],
    ) -> list[Node | None]:
        return await nodes.nodes(info.context, ids, look_ahead(info, links))

    @field(Permission.READ, "A network by its name; null if there is none.", kept=True)
    async def network(
        self, info: Info, name: Annotated[str, strawberry.argument("The name, such as metis.")]
    ) -> Network | None:
        parts = look_ahead(info, has_parts)
        return await networks.network(info.context, name, defer=parts)  # type: ignore[return-value]

    @field(Permission.READ, "All networks, by name.", kept=True, items=20)
    async def networks(self, info: Info) -> list[Network]:
        return await networks.networks(info.context)  # type: ignore[return-value]

    @field(Permission.READ, "A template by its slug; null if there is none.", kept=True)
    async def template(
        self, info: Info, slug: Annotated[str, strawberry.argument("The slug.")]
    ) -> Template | None:
        parts = look_ahead(info, has_parts)
        return await templates.template(info.context, slug, defer=parts)  # type: ignore[return-value]

    @field(Permission.READ, "All templates, by slug.", kept=True)
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
    ) -> Connection[Template]:
        page = page_arguments(info, first, after, last, before)
        return await templates.templates(info.context, page, search, category)  # type: ignore[return-value]

    @field(Permission.READ, "A project by its slug; null if you can see none.", kept=True)
    async def project(
        self, info: Info, slug: Annotated[str, strawberry.argument("The slug.")]
    ) -> Project | None:
        parts = look_ahead(info, has_parts)
        return await projects.project(info.context, slug, defer=parts)  # type: ignore[return-value]

    @field(Permission.READ, "The projects you can see, by slug.", kept=True)
    async def projects(
        self,
        info: Info,
        search: Search = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Project]:
        page = page_arguments(info, first, after, last, before)
        return await projects.projects(info.context, page, search)  # type: ignore[return-value]

    @field(
        Permission.READ,
        "A deployment by its global id or UUID; null if you can see none.",
        kept=True,
    )
    async def deployment(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument("The global id or the UUID.")],
    ) -> Deployment | None:
        return await deployments.deployment(info.context, id, look_ahead(info, links))  # type: ignore[return-value]

    @field(Permission.READ, "The deployments you can see.", kept=True)
    async def deployments(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        filter: Annotated[
            DeploymentFilter | None, strawberry.argument("Conditions; all by default.")
        ] = None,
        order_by: Annotated[
            DeploymentOrder | None, strawberry.argument("The order; newest first by default.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Deployment]:
        order = order_by or DeploymentOrder()
        return await deployment_pages.deployments(  # type: ignore[return-value]
            info.context,
            All() if filter is None else filter.condition(),
            order.order(),
            page_arguments(info, first, after, last, before),
            look_ahead(info, _item_links),
        )

    @field(Permission.READ, "Figures about the deployments you can see.", kept=True)
    async def deployment_stats(
        self,
        info: Info,
        filter: FilterArgument = None,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
    ) -> DeploymentStats:
        return await load_named(info, filter, range, time_zone)

    @field(ANY_TOKEN, "All measures.", kept=True, items=40)
    def measures(self) -> list[MeasureInfo]:
        return catalogue.catalogue()
