"""Project keys for Sentry's SDKs, and counts of what was dropped."""

from dataclasses import fields
from datetime import date
from typing import Annotated, Any

import strawberry

from access import project_keys as keys
from access.drops import Category, Reason
from access.viewers import Permission
from resolvers import first_steps
from resolvers import project_keys as resolvers
from resolvers.project_keys import MAX_DAYS
from schema.admin.credentials import Credential
from schema.declarations import STATEMENT, field, mutation, optional, typed, valued
from schema.enums import enum_of
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info
from schema.scalars import Long
from schema.things.first_steps import Snippet
from storage.admin.project_keys import KEYS_OF_PROJECT_AT_MOST, REVOKED_AT_MOST, KeySettings

_REASONS = {
    Reason.DUPLICATE: "The event was stored before.",
    Reason.NOT_USED: "Items of this kind are accepted, but not used.",
    Reason.RELEASE_FILTER: "The key refuses the release.",
    Reason.TEXT_FILTER: "The key refuses errors of this text.",
    Reason.BROWSER_FILTER: "The key refuses legacy browsers.",
    Reason.KEY_BUDGET: "The key had sent too many events.",
    Reason.PROJECT_BUDGET: "The project had sent too many events.",
    Reason.SIZE_BUDGET: "The key had sent too many bytes.",
    Reason.TRANSACTIONS_OFF: "The key takes no transactions.",
    Reason.NO_REQUEST: "The transaction is no request to a server, or has no method or status.",
    Reason.TOO_LARGE: "The event has over 1 MiB, or the envelope over 10 MB.",
    Reason.TOO_MANY: "The envelope has too many items.",
    Reason.TOO_OLD: "The event is older than what is stored.",
    Reason.UNREADABLE: "It is not what it should be, such as JSON.",
    Reason.INVALID: "The event has a value that cannot be stored.",
    Reason.UNAVAILABLE: "The gateway could not store it; the SDK was told to send it again.",
    Reason.CLIENT_RATE_LIMITED: "The SDK says that it obeyed a limit of this gateway.",
    Reason.CLIENT_SAMPLED: "The SDK says that it did not send it, by its sample rate.",
    Reason.CLIENT_FILTERED: "The SDK says that its own settings dropped it.",
    Reason.CLIENT_LOST: "The SDK says that it lost it.",
    Reason.NOT_FORWARDED: "It is stored, but could not be forwarded.",
}

_CATEGORIES = {
    Category.ERROR: "An error.",
    Category.TRANSACTION: "A transaction.",
    Category.SESSION: "Sessions of a release.",
    Category.ATTACHMENT: "A file that belongs to an event.",
    Category.FEEDBACK: "What a user wrote.",
    Category.PROFILE: "A profile, or a part of one.",
    Category.REPLAY: "A part of a replay.",
    Category.CHECK_IN: "A check-in of a scheduled job.",
    Category.LOG: "Log lines.",
    Category.METRIC: "Metrics.",
    Category.SPAN: "A span that is sent by itself.",
    Category.CLIENT_REPORT: "What the SDK says it did not send.",
    Category.OTHER: "An item of any other kind.",
    Category.ENVELOPE: "An envelope whose items were not read.",
}

DropReason = enum_of(
    "DropReason",
    "Why something that an SDK sent is not stored.",
    {reason.name: valued(reason, about) for reason, about in _REASONS.items()},
)
DropCategory = enum_of(
    "DropCategory",
    "A kind of what SDKs send.",
    {category.name: valued(category, about) for category, about in _CATEGORIES.items()},
)

SETTINGS = tuple(column.name for column in fields(KeySettings))

ID = "The public key, of 32 hexadecimal digits."
NAME = "What the key is for."
BUDGET = "How many errors and transactions it may send in a minute."
ORIGINS = "The origins of pages that may send, such as https://shop.example.com; empty for any."
RELEASES = "Globs of releases whose events are dropped, such as 1.*."
TEXTS = (
    "Events with one of these in their text are dropped; one with a star is a glob of all of it."
)
BROWSERS = "Whether events of browsers that their makers no longer support are dropped."
TRANSACTIONS = "Whether transactions of servers are recorded as API calls."
FORWARD = "The DSN of a Sentry server that gets each new error too, without its secrets."


@strawberry.type(description="A public key with which Sentry's SDKs send events of one project.")
class ProjectKey(Credential):
    public_key: strawberry.ID = strawberry.field(name="id", description=ID)
    project: str = strawberry.field(description="The slug of the project.")
    name: str = strawberry.field(description=NAME)
    events_per_minute: int = strawberry.field(description=BUDGET)
    origins: list[str] = strawberry.field(description=ORIGINS)
    refused_releases: list[str] = strawberry.field(description=RELEASES)
    refused_texts: list[str] = strawberry.field(description=TEXTS)
    refuses_legacy_browsers: bool = strawberry.field(description=BROWSERS)
    takes_transactions: bool = strawberry.field(description=TRANSACTIONS)
    forward_to: str | None = strawberry.field(description=f"{FORWARD[:-1]}; null for none.")

    @strawberry.field(
        description="The address that SDKs are set up with; null where PUBLIC_URL is not set and "
        "the request names no host."
    )
    def dsn(self, info: Info) -> str | None:
        return resolvers.dsn(info.context, self)  # type: ignore[arg-type] # the resolver's object

    @strawberry.field(description="Code that sends an error with the key, for each SDK.")
    def snippets(self, info: Info) -> list[Snippet]:
        dsn = resolvers.dsn(info.context, self)  # type: ignore[arg-type] # the resolver's object
        return first_steps.sdk_snippets(dsn)  # type: ignore[return-value]


@strawberry.type(description="How many events were dropped on a day for a reason.")
class DroppedEvents:
    day: date = strawberry.field(description="The day, in UTC.")
    public_key: strawberry.ID = strawberry.field(
        name="projectKey", description="The id of the key that sent them."
    )
    category: Any = typed(DropCategory, "What was dropped.")
    reason: Any = typed(DropReason, "Why it was dropped.")
    events: Long = strawberry.field(description="How many.")


@strawberry.input(description="A project key to create.")
class CreateProjectKeyInput:
    project: str = strawberry.field(description="The slug of the project.")
    name: str = strawberry.field(description=NAME)
    events_per_minute: int = strawberry.field(
        default=keys.DEFAULT_EVENTS_PER_MINUTE,
        description=f"{BUDGET[:-1]}, at most {keys.MAX_EVENTS_PER_MINUTE}.",
    )
    origins: list[str] = strawberry.field(default_factory=list, description=ORIGINS)
    refused_releases: list[str] = strawberry.field(default_factory=list, description=RELEASES)
    refused_texts: list[str] = strawberry.field(default_factory=list, description=TEXTS)
    refuses_legacy_browsers: bool = strawberry.field(default=False, description=BROWSERS)
    takes_transactions: bool = strawberry.field(default=False, description=TRANSACTIONS)
    forward_to: str | None = optional(FORWARD)


@strawberry.input(description="Changes of a project key; what is left out or null stays.")
class UpdateProjectKeyInput:
    public_key: strawberry.ID = strawberry.field(name="id", description=ID)
    name: str | None = optional(NAME)
    events_per_minute: int | None = optional(BUDGET)
    origins: list[str] | None = optional(ORIGINS)
    refused_releases: list[str] | None = optional(RELEASES)
    refused_texts: list[str] | None = optional(TEXTS)
    refuses_legacy_browsers: bool | None = optional(BROWSERS)
    takes_transactions: bool | None = optional(TRANSACTIONS)
    forward_to: str | None = optional(f"{FORWARD} An empty text ends it.")


@strawberry.input(description="A project key to revoke.")
class RevokeProjectKeyInput:
    public_key: strawberry.ID = strawberry.field(name="id", description=ID)


@strawberry.type
class _ProjectKeyPayload:
    project_key: ProjectKey | None = strawberry.field(description="The key; null if refused.")
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.type(description="The result of createProjectKey.")
class CreateProjectKeyPayload(_ProjectKeyPayload):
    pass


@strawberry.type(description="The result of updateProjectKey.")
class UpdateProjectKeyPayload(_ProjectKeyPayload):
    pass


@strawberry.type(description="The result of revokeProjectKey.")
class RevokeProjectKeyPayload(_ProjectKeyPayload):
    pass


Slug = Annotated[str, strawberry.argument("The slug of the project.")]


@strawberry.type
class ProjectKeyQueries:
    @field(
        Permission.MANAGE,
        "The project keys of a project, newest first; null on error.",
        weight=STATEMENT,
        items=KEYS_OF_PROJECT_AT_MOST + REVOKED_AT_MOST,
    )
    async def project_keys(self, info: Info, project: Slug) -> list[ProjectKey] | None:
        return await resolvers.project_keys(info.context, project)  # type: ignore[return-value]

    @field(
        Permission.MANAGE,
        "What SDKs sent for a project and is not stored, the newest day first; null on error.",
        weight=STATEMENT,
    )
    async def dropped_events(
        self,
        info: Info,
        project: Slug,
        days: Annotated[
            int, strawberry.argument(f"How many days, today included, at most {MAX_DAYS}.")
        ] = 30,
    ) -> list[DroppedEvents] | None:
        return await resolvers.dropped(info.context, project, days)  # type: ignore[return-value]


@strawberry.type
class ProjectKeyMutations:
    @mutation(
        Permission.MANAGE,
        "Creates a project key, with which Sentry's SDKs send events of a project.",
        targets=("project",),
    )
    async def create_project_key(
        self,
        info: Info,
        input: Annotated[CreateProjectKeyInput, strawberry.argument("The new key.")],
    ) -> CreateProjectKeyPayload:
        settings = KeySettings(**_given(input))
        return await resolvers.create(  # type: ignore[return-value]
            info.context, input.project, settings
        )

    @mutation(
        Permission.MANAGE,
        "Changes a project key; every process applies it within seconds.",
        targets=("id",),
    )
    async def update_project_key(
        self,
        info: Info,
        input: Annotated[UpdateProjectKeyInput, strawberry.argument("The changes.")],
    ) -> UpdateProjectKeyPayload:
        changes = {name: value for name, value in _given(input).items() if value is not None}
        if input.forward_to == "":
            changes["forward_to"] = None
        return await resolvers.update(  # type: ignore[return-value]
            info.context, input.public_key, changes
        )

    @mutation(
        Permission.MANAGE,
        "Revokes a project key; every process refuses it within seconds.",
        targets=("id",),
    )
    async def revoke_project_key(
        self,
        info: Info,
        input: Annotated[RevokeProjectKeyInput, strawberry.argument("The key.")],
    ) -> RevokeProjectKeyPayload:
        return await resolvers.revoke(  # type: ignore[return-value]
            info.context, input.public_key
        )


def _given(input: CreateProjectKeyInput | UpdateProjectKeyInput) -> dict[str, Any]:
    """The settings in an input, lists as tuples."""
    values = {name: getattr(input, name) for name in SETTINGS}
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return values | {"forward_to": input.forward_to or None}
