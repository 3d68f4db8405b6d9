"""Mutations of alerts: make, change, switch, delete, acknowledge, mark as read."""

from datetime import datetime
from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import alert_changes as resolvers
from schema.declarations import mutation, optional
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info
from schema.things.alert_inputs import (
    AlertTriggerInput,
    CreateAlertInput,
    UpdateAlertInput,
    fields_of,
    in_terms_of,
    rule_of,
)
from schema.things.alerts import Alert
from schema.things.given import read

ID = "The global id of the alert."


@strawberry.input(description="An alert to switch on or off.")
class SetAlertEnabledInput:
    alert_id: strawberry.ID = strawberry.field(name="id", description=ID)
    enabled: bool = read("Whether it is evaluated.")


@strawberry.input(description="An alert to delete.")
class DeleteAlertInput:
    alert_id: strawberry.ID = strawberry.field(name="id", description=ID)


@strawberry.input(description="An instance that somebody takes care of.")
class AcknowledgeAlertInput:
    alert_id: strawberry.ID = strawberry.field(name="id", description=ID)
    instance: str = strawberry.field(
        default="", description="The name of the instance; empty for the one without groups."
    )


@strawberry.input(description="Up to when the viewer has read what happened.")
class MarkAlertsReadInput:
    until: datetime | None = optional(
        "The `at` of the newest event that was read, itself included; now by default."
    )


@strawberry.type(description="The result of a change of an alert.")
class AlertPayload:
    alert: Alert | None = read("The alert after the change; null if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.type(description="The result of deleteAlert.")
class DeleteAlertPayload:
    deleted: strawberry.ID | None = read("The global id of the alert; null if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.type(description="The result of markAlertsRead.")
class MarkAlertsReadPayload:
    read_at: datetime = read("Up to when all is read.")
    user_errors: list[UserError] = read(WHY_REFUSED)


def _payload(done: resolvers.Changed, trigger: AlertTriggerInput | None = None) -> AlertPayload:
    errors = [in_terms_of(trigger, error) for error in done.user_errors]
    return AlertPayload(alert=done.alert, user_errors=errors)  # type: ignore[arg-type]


@strawberry.type
class AlertMutations:
    @mutation(Permission.MANAGE, "Creates an alert.", targets=("project", "name"))
    async def create_alert(
        self, info: Info, input: Annotated[CreateAlertInput, strawberry.argument("The alert.")]
    ) -> AlertPayload:
        done = await resolvers.create(info.context, input.project, rule_of(input))
        return _payload(done, input.trigger)

    @mutation(
        Permission.MANAGE,
        "Changes an alert; its former revisions are kept.",
        targets=("id",),
    )
    async def update_alert(
        self, info: Info, input: Annotated[UpdateAlertInput, strawberry.argument("The changes.")]
    ) -> AlertPayload:
        changes = fields_of(input)
        done = await resolvers.update(info.context, input.alert_id, changes, input.revision)
        return _payload(done, input.trigger)

    @mutation(Permission.MANAGE, "Switches an alert on or off.", targets=("id",))
    async def set_alert_enabled(
        self, info: Info, input: Annotated[SetAlertEnabledInput, strawberry.argument("The alert.")]
    ) -> AlertPayload:
        done = await resolvers.switch(info.context, input.alert_id, enabled=input.enabled)
        return _payload(done)

    @mutation(Permission.MANAGE, "Deletes an alert; its history is kept.", targets=("id",))
    async def delete_alert(
        self, info: Info, input: Annotated[DeleteAlertInput, strawberry.argument("The alert.")]
    ) -> DeleteAlertPayload:
        deleted, errors = await resolvers.delete(info.context, input.alert_id)
        return DeleteAlertPayload(deleted=deleted, user_errors=errors)  # type: ignore[arg-type]

    @mutation(
        Permission.MANAGE,
        "Notes that you take care of an instance that fires: it is not told again.",
        targets=("id",),
    )
    async def acknowledge_alert(
        self,
        info: Info,
        input: Annotated[AcknowledgeAlertInput, strawberry.argument("The instance.")],
    ) -> AlertPayload:
        done = await resolvers.acknowledge(info.context, input.alert_id, input.instance)
        return _payload(done)

    @mutation(
        Permission.READ,
        "Marks what happened to alerts as read by you.",
        targets=("until",),
    )
    async def mark_alerts_read(
        self,
        info: Info,
        input: Annotated[MarkAlertsReadInput | None, strawberry.argument("Up to when.")] = None,
    ) -> MarkAlertsReadPayload:
        until = None if input is None else input.until
        read_at = await resolvers.mark_read(info.context, until)
        return MarkAlertsReadPayload(read_at=read_at, user_errors=[])
