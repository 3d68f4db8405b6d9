"""What rows of append facts that are listed have in common."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from schema.things.environments import Environment

if TYPE_CHECKING:
    from schema.things.projects import Project

NO_NAME = "null if none was sent or the project has too many."


@strawberry.type
class Reported:
    id: UUID = strawberry.field(description="The event's UUID.")
    external_id: str | None = strawberry.field(
        description="The id as sent; null if it is the UUID or none was sent."
    )
    project: Annotated["Project", strawberry.lazy(".projects")] = strawberry.field(
        description="The project."
    )
    environment: Environment | None = strawberry.field(description=f"The environment; {NO_NAME}")
    occurred_at: datetime = strawberry.field(
        description="When it occurred; of a call, when it completed."
    )
