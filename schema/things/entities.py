"""Entities and their status events: the fields that all kinds have."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from resolvers import entity_fields
from resolvers.entities import EntityNode
from resolvers.entity_fields import MAX_STATUS_EVENTS
from schema.lists.links import DEFAULT_STATUS_EVENTS
from schema.nodes import Node
from schema.scalars import Json
from schema.things.templates import Template

if TYPE_CHECKING:
    from schema.things.environments import Environment
    from schema.things.projects import Project


@strawberry.type
class EntityType(Node):
    external_id: str | None = strawberry.field(description="The id as sent; null if unknown.")
    created_at: datetime = strawberry.field(description="When its first event happened.")
    started_at: datetime | None = strawberry.field(
        description="When it started; null if not reported."
    )
    finished_at: datetime | None = strawberry.field(
        description="When it succeeded, failed or was cancelled; null until then."
    )
    updated_at: datetime = strawberry.field(description="When its latest event happened.")
    duration_ms: float | None = strawberry.field(
        description="The time from start to finish, in milliseconds; null if unknown."
    )
    error: str | None = strawberry.field(description="Why it failed; null if it did not.")
    attributes: Json | None = strawberry.field(
        description="Further data sent with it: a JSON object; null if none was."
    )
    environment_name: str | None = strawberry.field(
        description="The environment's name as sent; null if none was."
    )
    project: Annotated["Project", strawberry.lazy(".projects")] = strawberry.field(
        description="The project."
    )
    environment: Annotated["Environment", strawberry.lazy(".environments")] | None = (
        strawberry.field(
            description="The environment; null if none was sent or the project has too many."
        )
    )


@strawberry.type
class OfTemplate(EntityType):
    template_slug: str | None = strawberry.field(
        description="The template's slug as sent, known or not; null if none was."
    )
    framework: str | None = strawberry.field(
        description="The framework's name as sent; null if none was."
    )
    template: Template | None = strawberry.field(
        description="The template; null if none was sent or it is unknown."
    )


@strawberry.type
class StatusEvent:
    id: UUID = strawberry.field(description="The event's UUID.")
    external_id: str | None = strawberry.field(
        description="The event's id as sent; null if none was sent."
    )
    occurred_at: datetime = strawberry.field(description="When it happened.")
    duration_ms: float | None = strawberry.field(
        description="The duration, in milliseconds; null if not sent."
    )
    error: str | None = strawberry.field(description="Why it failed; null if it did not.")
    source: str | None = strawberry.field(
        description="The system that reported it; null if not sent."
    )


def status_events_field(event: Any) -> Any:
    """The field of an entity's events; `event` is their type."""

    def status_events(
        parent: strawberry.Parent[EntityNode],
        first: Annotated[
            int, strawberry.argument(f"The number of events, at most {MAX_STATUS_EVENTS}.")
        ] = DEFAULT_STATUS_EVENTS,
    ) -> Any:
        return entity_fields.status_events(parent, first)

    status_events.__annotations__["return"] = list[event] | None
    return strawberry.field(
        status_events,
        description="The events, newest first; null on error.",
        # A function of the entity and the argument.
        metadata={"pure": entity_fields.status_events},
    )
