"""The subscription type."""

from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from resolvers import entities, running
from resolvers import subscriptions as resolvers
from resolvers.entities import EntityNode, Links
from resolvers.subscriptions import Watched
from schema.declarations import subscription
from schema.figures.fields import FigureSubscriptions
from schema.figures.filters import filter_argument, filter_names
from schema.info import Info
from schema.lists.links import links_below
from schema.selection import look_ahead
from schema.things.alerts import Alert
from schema.things.builds import Build
from schema.things.certificates import Certificate
from schema.things.deployments import Deployment
from schema.things.errors import Error
from schema.things.functions import RunningFirst, RunningInvocation
from storage.facts.invocations import INVOCATIONS


def changed_field(
    name: str, node: Any, watch: Callable[[Links], Watched], ids: str = "global id or UUID"
) -> Any:
    """The subscription to changes of things of this name; `node` is their type."""
    wanted, nouns = links_below(name), f"{name}s"

    async def changed(
        info: Info,
        project: Annotated[
            str | None, strawberry.argument(f"Only {nouns} of this project, by slug.")
        ] = None,
        id: Annotated[
            strawberry.ID | None,
            strawberry.argument(f"Only this {name}, by its {ids}.", name=name),
        ] = None,
    ) -> Any:
        watched = watch(look_ahead(info, wanted))
        async for change in resolvers.entity_changes(info.context, watched, project, id):
            yield change

    changed.__annotations__["return"] = AsyncGenerator[_change(name, node), None]  # type: ignore[misc]
    text = (
        f"Changes of one {name} (first its current state), of a project's {nouns}, or of "
        f"all {nouns} you can see."
    )
    return subscription(Permission.READ, text, shared=True)(changed)


def _change(name: str, node: Any) -> Any:
    entity = strawberry.field(
        name=name,
        description=f"The {name} after the change. Null means: query all {name}s again. "
        "It is null when too many changed at once, and in the first message of a subscription to "
        f"several {name}s; no change after that message is missed.",
        graphql_type=node | None,
    )
    made = type(f"{node.__name__}Change", (), {"__module__": __name__, "entity": entity})
    text = f"A change of one {name}, or of more than can be listed."
    return strawberry.type(made, description=text)


def _watched(kind: type[EntityNode]) -> Callable[[Links], Watched]:
    return partial(resolvers.watched_entities, kind)


@strawberry.type(description="All subscriptions.")
class Subscription(FigureSubscriptions):
    deployment_changed = changed_field("deployment", Deployment, _watched(entities.Deployment))
    build_changed = changed_field("build", Build, _watched(entities.Build))
    certificate_changed = changed_field("certificate", Certificate, _watched(entities.Certificate))
    alert_changed = changed_field(
        "alert", Alert, lambda _links: resolvers.WATCHED_ALERTS, ids="global id"
    )
    error_changed = changed_field(
        "error", Error, lambda _links: resolvers.WATCHED_ERRORS, ids="global id"
    )

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
        async for found in resolvers.states(info.context, INVOCATIONS.name, slugs, load):
            yield found  # type: ignore[misc]
