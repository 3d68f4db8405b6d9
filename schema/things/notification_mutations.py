"""Mutations of notification channels: create, change, delete, test, send again."""

from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from resolvers import channel_tests
from resolvers import notification_channels as resolvers
from schema.declarations import STATEMENT, mutation, optional
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info
from schema.things.given import read
from schema.things.notification_channels import NotificationChannel, NotificationSend
from storage.alerts.channels import (
    CHANNELS_OF_PLATFORM_AT_MOST,
    CHANNELS_OF_PROJECT_AT_MOST,
    DEFAULT_SENDS_PER_HOUR,
)

ID = "The global id of the channel."
_HIDDEN = (
    "It is never shown; when a channel is changed, that of before stays by default, "
    "unless the address is of another server."
)


@strawberry.input(description="Mails.")
class EmailChannelInput:
    to: list[str] | None = optional("The addresses.")
    owners: bool | None = optional("Whether the owners of the project get them too.")


@strawberry.input(description="A signed request to an address.")
class WebhookChannelInput:
    url: str | None = optional("The address, which begins with https://.")
    secret: str | None = optional(f"What requests are signed with. {_HIDDEN}")


@strawberry.input(description="Slack.")
class SlackChannelInput:
    secret_url: str | None = optional(f"The address of an incoming webhook. {_HIDDEN}")


@strawberry.input(description="PagerDuty.")
class PagerDutyChannelInput:
    routing_key: str | None = optional(f"The key of an integration. {_HIDDEN}")
    url: str | None = optional("Another address than that of PagerDuty's events.")


@strawberry.input(description="Alertmanager of Prometheus.")
class AlertmanagerChannelInput:
    url: str | None = optional("The address, which begins with https://.")
    token: str | None = optional(f"A bearer token, if it needs one. {_HIDDEN}")


@strawberry.input(description="One of the services that Apprise knows.")
class AppriseChannelInput:
    secret_url: str | None = optional(f"The address as Apprise writes it. {_HIDDEN}")


@strawberry.input(one_of=True, description="How a channel tells, in one of these ways.")
class ChannelInput:
    email: strawberry.Maybe[EmailChannelInput] = read("Mails.")
    webhook: strawberry.Maybe[WebhookChannelInput] = read("A signed request to an address.")
    slack: strawberry.Maybe[SlackChannelInput] = read("Slack.")
    pagerduty: strawberry.Maybe[PagerDutyChannelInput] = read("PagerDuty.")
    alertmanager: strawberry.Maybe[AlertmanagerChannelInput] = read("Alertmanager.")
    apprise: strawberry.Maybe[AppriseChannelInput] = read("A service that Apprise knows.")
    in_app: strawberry.Maybe[bool] = read("True: the list of what was not read.")


_LIMIT = f"The most messages in an hour, at most {resolvers.MAX_SENDS_PER_HOUR:,}"


@strawberry.input(
    description=f"A channel to create: a project has at most {CHANNELS_OF_PROJECT_AT_MOST}, the "
    f"platform {CHANNELS_OF_PLATFORM_AT_MOST}."
)
class CreateNotificationChannelInput:
    project: str | None = optional(
        "The slug of the project; the platform by default, which needs the role admin."
    )
    name: str = read("The name, by which alerts name it; it never changes.")
    channel: ChannelInput = read("How it tells.")
    enabled: bool | None = optional("Whether it is used; true by default.")
    sends_per_hour: int | None = optional(f"{_LIMIT}; {DEFAULT_SENDS_PER_HOUR} by default.")


@strawberry.input(description="Changes of a channel; what is left out or null stays.")
class UpdateNotificationChannelInput:
    channel_id: strawberry.ID = strawberry.field(name="id", description=ID)
    channel: ChannelInput | None = optional("What changes of how it tells, of the same kind.")
    enabled: bool | None = optional("Whether it is used.")
    sends_per_hour: int | None = optional(f"{_LIMIT}.")


@strawberry.input(description="A channel to delete.")
class DeleteNotificationChannelInput:
    channel_id: strawberry.ID = strawberry.field(name="id", description=ID)


@strawberry.input(description="A message to send again.")
class ResendNotificationInput:
    send: strawberry.ID = read("The `sendId` of a send that is DEAD.")


@strawberry.input(description="A channel to test.")
class TestNotificationChannelInput:
    channel_id: strawberry.ID = strawberry.field(name="id", description=ID)


@strawberry.input(description="An alert of which to test the channels.")
class TestAlertInput:
    alert_id: strawberry.ID = strawberry.field(name="id", description="The global id of the alert.")


@strawberry.type(description="What became of a test of a channel.")
class ChannelTest:
    channel: str = read("The name of the channel.")
    is_delivered: bool = read("True if the receiver took the message.")
    detail: str = read("What the receiver answered, or why there is no answer.")
    duration_ms: int = read("How long it took, in milliseconds.")


@strawberry.type(description="The result of a test of channels.")
class ChannelTestPayload:
    tests: list[ChannelTest] = read("What became of each; empty if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.type(description="The result of a change of a channel.")
class NotificationChannelPayload:
    notification_channel: NotificationChannel | None = read(
        "The channel after the change; null if refused."
    )
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.type(description="The result of deleteNotificationChannel.")
class DeleteNotificationChannelPayload:
    deleted: strawberry.ID | None = read("The global id of the channel; null if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.type(description="The result of resendNotification.")
class ResendNotificationPayload:
    send: NotificationSend | None = read("The send, which waits to be tried; null if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


def _given(channel: ChannelInput) -> resolvers.Given:
    """What is set: fields that are secrets for their kind are kept apart."""
    for kind in ("email", "webhook", "slack", "pagerduty", "alertmanager", "apprise"):
        if (found := getattr(channel, kind)) is not None:
            return resolvers.Given.of(kind, vars(found.value))
    return resolvers.Given.of("in_app", {})


def _changes(given: Any) -> dict[str, Any]:
    values = {name: getattr(given, name) for name in ("enabled", "sends_per_hour")}
    return {name: value for name, value in values.items() if value is not None}


def _payload(done: resolvers.Changed) -> NotificationChannelPayload:
    return NotificationChannelPayload(
        notification_channel=done.channel,  # type: ignore[arg-type]
        user_errors=done.user_errors,  # type: ignore[arg-type]
    )


@strawberry.type
class NotificationMutations:
    @mutation(Permission.MANAGE, "Creates a notification channel.", targets=("project", "name"))
    async def create_notification_channel(
        self,
        info: Info,
        input: Annotated[CreateNotificationChannelInput, strawberry.argument("The channel.")],
    ) -> NotificationChannelPayload:
        given, changes = _given(input.channel), _changes(input)
        done = await resolvers.create(info.context, input.project, input.name, given, changes)
        return _payload(done)

    @mutation(Permission.MANAGE, "Changes a notification channel.", targets=("id",))
    async def update_notification_channel(
        self,
        info: Info,
        input: Annotated[UpdateNotificationChannelInput, strawberry.argument("The changes.")],
    ) -> NotificationChannelPayload:
        given = None if input.channel is None else _given(input.channel)
        done = await resolvers.update(info.context, input.channel_id, given, _changes(input))
        return _payload(done)

    @mutation(
        Permission.MANAGE,
        "Deletes a notification channel that no alert names.",
        targets=("id",),
    )
    async def delete_notification_channel(
        self,
        info: Info,
        input: Annotated[DeleteNotificationChannelInput, strawberry.argument("The channel.")],
    ) -> DeleteNotificationChannelPayload:
        deleted, errors = await resolvers.delete(info.context, input.channel_id)
        return DeleteNotificationChannelPayload(deleted=deleted, user_errors=errors)  # type: ignore[arg-type]

    @mutation(
        Permission.MANAGE,
        "Sends a message once more that was given up, under its former key.",
        targets=("send",),
    )
    async def resend_notification(
        self,
        info: Info,
        input: Annotated[ResendNotificationInput, strawberry.argument("The message.")],
    ) -> ResendNotificationPayload:
        send, errors = await resolvers.resend(info.context, input.send)
        return ResendNotificationPayload(send=send, user_errors=errors)  # type: ignore[arg-type]

    @mutation(
        Permission.MANAGE,
        "Sends a message to a channel that says it is a test.",
        targets=("id",),
        weight=10 * STATEMENT,
    )
    async def test_notification_channel(
        self,
        info: Info,
        input: Annotated[TestNotificationChannelInput, strawberry.argument("The channel.")],
    ) -> ChannelTestPayload:
        tests, errors = await channel_tests.channel(info.context, input.channel_id)
        return ChannelTestPayload(tests=tests, user_errors=errors)  # type: ignore[arg-type]

    @mutation(
        Permission.MANAGE,
        "Sends a message to each channel of an alert that says it is a test.",
        targets=("id",),
        weight=20 * STATEMENT,
    )
    async def test_alert(
        self,
        info: Info,
        input: Annotated[TestAlertInput, strawberry.argument("The alert.")],
    ) -> ChannelTestPayload:
        tests, errors = await channel_tests.alert(info.context, input.alert_id)
        return ChannelTestPayload(tests=tests, user_errors=errors)  # type: ignore[arg-type]
