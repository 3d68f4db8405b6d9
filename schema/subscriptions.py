"""The subscription type."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from resolvers import entities, running
from resolvers import subscriptions as resolvers
from resolvers.entities import EntityNode
from schema.declarations import subscription
from schema.figures.fields import FigureSubscriptions
from schema.figures.filters import filter_argument, filter_names
from schema.info import Info
from schema.lists.links import links_below
from schema.selection import look_ahead
from schema.things.builds import Build
from schema.things.deployments import Deployment
from schema.things.functions import RunningFirst, RunningInvocation
from storage.facts.invocations import INVOCATIONS


def changed_field(kind: type[EntityNode], node: Any) -> Any:
    """The subscription to changes of entities; `node` is their type."""
    fact = kind.fact
    wanted = links_below(fact.name)

    async def changed(
        info: Info,
        project: Annotated[
            str | None, strawberry.argument(f"Only {fact.noun} of this project, by slug.")
        ] = None,
        id: Annotated[
            strawberry.ID | None,
            strawberry.argument(f"Only this {fact.name}: its global id or UUID.", name=fact.name),
        ] = None,
    ) -> Any:
        selected = look_ahead(info, wanted)
        async for change in resolvers.entity_changes(info.context, kind, project, id, selected):
            yield change

    changed.__annotations__["return"] = AsyncGenerator[_change(kind, node), None]  # type: ignore[misc]
    text = (
        f"Changes of one {fact.name} (first its current state), of a project's {fact.noun}, or of "
        f"all {fact.noun} you can see."
    )
    return subscription(Permission.READ, text, shared=True)(changed)


def _change(kind: type[EntityNode], node: Any) -> Any:
    fact = kind.fact
    entity = strawberry.field(
        name=fact.name,
        description=f"The {fact.name} after the change. Null means: query all {fact.noun} again. "
        "It is null when too many changed at once, and in the first message of a subscription to "
        f"several {fact.noun}; no change after that message is missed.",
        graphql_type=node | None,
    )
    made = type(f"{fact.stem}Change", (), {"__module__": __name__, "entity": entity})
    text = f"A change of one {fact.name}, or of more than can be listed."
    return strawberry.type(made, description=text)


@strawberry.type(description="All subscriptions.")
class Subscription(FigureSubscriptions):
    deployment_changed = changed_field(entities.Deployment, Deployment)
    build_changed = changed_field(entities.Build, Build)

    @subscription(
        Permission.READ,
        "The function invocations that run, newest first: now, and after each that starts or ends.",
        shared=True,
    )
    async def running_invocations_changed(
        self,
        info: Info,
        filter: filter_argument(INVOCATIONS) = None,  # type: ignore[valid-type]
        first: RunningFirst = 50,
    ) -> AsyncGenerator[list[RunningInvocation], None]:
        load = partial(running.running_invocations, info.context, filter_names(filter), first)
        slugs = None if filter is None else filter.projects
        async for found in resolvers.states(info.context, INVOCATIONS, slugs, load):
            yield found  # type: ignore[misc]
