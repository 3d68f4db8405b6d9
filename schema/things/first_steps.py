"""The type of a project's first steps."""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from resolvers import first_steps as resolvers


def _value(value: Any, description: str) -> Any:
    return strawberry.enum_value(value, description=description)


@strawberry.enum(description="What the first event is sent with.")
class SnippetSender(Enum):
    PYTHON = _value(resolvers.Sender.PYTHON, "Sentry's SDK for Python.")
    NODE = _value(resolvers.Sender.NODE, "Sentry's SDK for Node.js.")
    BROWSER = _value(resolvers.Sender.BROWSER, "Sentry's SDK for pages.")
    CURL = _value(resolvers.Sender.CURL, "A plain event, by curl.")


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
