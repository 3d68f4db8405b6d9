"""Notification channels, and what was sent to them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from access.viewers import Permission
from resolvers import alert_nodes
from resolvers import notification_channels as resolvers
from resolvers.pages import MAX_PAGE_SIZE
from schema.declarations import HALF_STATEMENT, STATEMENT, costs, field, typed
from schema.info import Info
from schema.lists.connections import After, Before, Connection, First, Last, page_arguments
from schema.nodes import Node, instances_of
from schema.things.alert_enums import (
    NotificationChannelKind,
    NotificationOutcome,
    NotificationStatus,
)
from schema.things.alerts import OF_PROJECT, PROJECT_LINK
from schema.things.given import link, read
from storage.alerts.changes import ALERTS

Of = strawberry.Parent[resolvers.Send]
Root = strawberry.Parent[resolvers.NotificationChannel]


@strawberry.type(description="A setting of a channel.")
class NotificationSetting:
    name: str = read("The name.")
    value: str = read("The value.")


@strawberry.type(description="A try to deliver a message.")
class NotificationAttempt:
    number: int = read("The number, from 1.")
    at: datetime = read("When it began.")
    outcome: Any = typed(NotificationOutcome, "What became of it.")
    detail: str | None = read("What the receiver answered, or why there is none; null if unknown.")
    duration_ms: int | None = read("How long it took, in milliseconds; null if it was cut off.")


@strawberry.type(description="A message to a channel.")
class NotificationSend:
    send_id: UUID = read("The key by which the receiver recognises it, also when tried again.")
    status: Any = typed(NotificationStatus, "Where it is.")
    reason: str | None = read("Why it was held back or given up; null for others.")
    title: str | None = read("The title of the message; null if it has none.")
    text: str | None = read("The text of the message; null if it has none.")
    created_at: datetime = read("When it was made.")
    due_at: datetime | None = read("When it is tried next; null if it is not.")
    sent_at: datetime | None = read("When the receiver took it; null if it did not.")
    attempt_count: int = read("How often it was tried.")

    @strawberry.field(
        description="The tries, the last first; null on error.",
        metadata=costs(weight=HALF_STATEMENT),
    )
    async def attempts(
        self,
        parent: Of,
        info: Info,
        first: Annotated[
            int, strawberry.argument(f"The number of them, at most {MAX_PAGE_SIZE}.")
        ] = 10,
    ) -> list[NotificationAttempt] | None:
        return await resolvers.attempts_of(info.context, parent, first)  # type: ignore[return-value]


@strawberry.type(description="Somebody whom alerts tell, and how.")
class NotificationChannel(Node):
    name: str = read("The name, by which alerts name it; it never changes.")
    kind: Any = typed(NotificationChannelKind, "How it tells.")
    enabled: bool = read("Whether it is used.")
    sends_per_hour: int = read("The most messages in an hour; then one sums up the rest.")
    created_at: datetime = read("When it was created.")
    created_by: str = read("The subject of the token that created it.")
    changed_at: datetime = read("When it was last changed.")
    changed_by: str = read("The subject of the token that changed it.")
    project = link(alert_nodes.owner_of, PROJECT_LINK, OF_PROJECT)

    @field(Permission.MANAGE, "The settings, without secrets; null on error.", facts=(), weight=0)
    def settings(self, parent: Root) -> list[NotificationSetting] | None:
        return parent.settings  # type: ignore[return-value]

    @field(
        Permission.MANAGE,
        "The names of the secrets that are set, which are never shown; null on error.",
        facts=(),
        weight=0,
    )
    def secrets(self, parent: Root) -> list[str] | None:
        return parent.secrets

    @field(
        Permission.MANAGE,
        "What was sent to it, newest first; null on error.",
        facts=(ALERTS,),
        weight=STATEMENT,
    )
    async def sends(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        parent: Root,
        info: Info,
        statuses: Annotated[
            list[NotificationStatus] | None,
            strawberry.argument("Only those with one of these; all by default."),
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[NotificationSend] | None:
        chosen = None if statuses is None else [each.value for each in statuses]
        page = page_arguments(info, first, after, last, before)
        return await resolvers.sends_of(info.context, parent, chosen, page)  # type: ignore[return-value]

    is_type_of = instances_of(resolvers.NotificationChannel)


@strawberry.type
class NotificationQueries:
    @field(
        Permission.MANAGE,
        "The notification channels you can see, by name: of projects, and for admins of the "
        "platform; null on error.",
    )
    async def notification_channels(
        self,
        info: Info,
        projects: Annotated[
            list[str] | None,
            strawberry.argument(
                "Slugs of projects; NOT_FOUND if you cannot see one of them. All by default."
            ),
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[NotificationChannel] | None:
        page = page_arguments(info, first, after, last, before)
        return await resolvers.channels(info.context, projects, page)  # type: ignore[return-value]
