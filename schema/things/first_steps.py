"""The type of a project's first steps."""

from datetime import datetime
from enum import Enum

import strawberry

from resolvers import first_steps as resolvers
from schema.declarations import valued


@strawberry.enum(description="What the first event is sent with.")
class SnippetSender(Enum):
    PYTHON = valued(resolvers.Sender.PYTHON, "Sentry's SDK for Python.")
    NODE = valued(resolvers.Sender.NODE, "Sentry's SDK for Node.js.")
    BROWSER = valued(resolvers.Sender.BROWSER, "Sentry's SDK for pages.")
    CURL = valued(resolvers.Sender.CURL, "A plain event, by curl.")


@strawberry.type(description="Code that sends an event of the project.")
class Snippet:
    sender: SnippetSender = strawberry.field(description="What sends the event.")
    title: str = strawberry.field(description="The title, for people.")
    language: str = strawberry.field(description="The language: python, javascript or shell.")
    code: str = strawberry.field(description="The code, with the project's key and address.")


@strawberry.type(description="How to send a project's first event, and whether it has arrived.")
class FirstSteps:
    has_events: bool = strawberry.field(description="True if any event has arrived.")
    has_errors: bool = strawberry.field(description="True if an error has arrived.")
    first_event_at: datetime | None = strawberry.field(
        description="The time of the earliest event; null if none has arrived."
    )
    dsn: str | None = strawberry.field(
        description="The DSN of the newest key that is not revoked; null if there is none."
    )
    advice: str = strawberry.field(description="What to do next, in words for people.")
    snippets: list[Snippet] = strawberry.field(description="Code to send an event with.")
