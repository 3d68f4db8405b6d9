"""The subscription type."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import subscriptions as resolvers
from schema.declarations import subscription
from schema.figures.filters import FilterArgument
from schema.figures.ranges import UTC, RangeArgument, ZoneArgument
from schema.info import Info
from schema.selection import look_ahead
from schema.things.deployments import Deployment, links_of_deployment
from schema.things.statistics import DeploymentStats, load_named


@strawberry.type(description="A change of one deployment, or of more than can be listed.")
class DeploymentChange:
    deployment: Deployment | None = strawberry.field(
        description="The deployment after the change. Null means: query all deployments again. It "
        "is null when too many changed at once, and in the first message of a subscription to "
        "several deployments; no change after that message is missed."
    )


@strawberry.type(description="All subscriptions.")
class Subscription:
    @subscription(
        Permission.READ,
        "Changes of one deployment (first its current state), of a project's deployments, or of "
        "all deployments you can see.",
        shared=True,
    )
    async def deployment_changed(
        self,
        info: Info,
        project: Annotated[
            str | None, strawberry.argument("Only deployments of this project, by slug.")
        ] = None,
        deployment: Annotated[
            strawberry.ID | None,
            strawberry.argument("Only this deployment: its global id or UUID."),
        ] = None,
    ) -> AsyncGenerator[DeploymentChange, None]:
        wanted = look_ahead(info, links_of_deployment)
        changes = resolvers.deployment_changes(info.context, project, deployment, wanted)
        async for change in changes:
            yield change  # type: ignore[misc]

    @subscription(
        Permission.READ,
        "Figures about the deployments you can see: now, and after each change.",
        shared=True,
    )
    async def deployment_stats_changed(
        self,
        info: Info,
        filter: FilterArgument = None,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
    ) -> AsyncGenerator[DeploymentStats, None]:
        slugs = filter.projects if filter is not None else None
        figures = resolvers.states(
            info.context, slugs, lambda: load_named(info, filter, range, time_zone)
        )
        async for state in figures:
            yield state
