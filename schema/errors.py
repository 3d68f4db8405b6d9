"""Errors in the input of a mutation, which its sender can correct."""

from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from ingest.events import Code
from resolvers.user_errors import InputCode

WHY_REFUSED = "Why the input was refused; empty if it was not."

_PROBLEMS = {
    Code.UNREADABLE: "It could not be read.",
    Code.NOT_AN_OBJECT: "It is not an object.",
    Code.MISSING_FIELD: "A required field is absent.",
    Code.INVALID_VALUE: "The value is not allowed.",
    Code.INVALID_TEXT: "The text has characters that cannot be stored.",
    Code.INVALID_NUMBER: "The number is not allowed.",
    Code.INVALID_TIME: "The time cannot be read.",
    Code.CONFLICTING_FIELDS: "Two fields contradict each other.",
    Code.TOO_LONG: "The text is too long.",
    Code.TOO_LARGE: "The object is too large.",
    Code.TOO_DEEP: "The object is nested too deep.",
    Code.TOO_OLD: "The time is before what is stored.",
    Code.IN_FUTURE: "The time is in the future.",
    Code.UNKNOWN_TYPE: "There is no such type of event.",
    Code.NOT_RELEVANT: "The event is about something that is not stored.",
    Code.UNKNOWN_PROJECT: "There is no such project that you can write to.",
    Code.NOT_STORABLE: "The database cannot store the values.",
    Code.RATE_LIMITED: "The project has sent too many events.",
    Code.CONTENT_DIFFERS: "An event with the same id and time has other content.",
    Code.UNKNOWN_NETWORK: "The network is not provisioned.",
    Code.UNKNOWN_TEMPLATE: "The template is not provisioned.",
    Code.UNKNOWN_FIELD: "A field is unknown and was left out.",
    Code.TRUNCATED: "A text was cut to its limit.",
    Code.COUNTED_AS_OTHER: "The project has too many combinations of names.",
    InputCode.NOT_FOUND: "There is no such object.",
    InputCode.RESERVED: "The name is reserved.",
    InputCode.TOO_MANY: "There are too many.",
    InputCode.TAKEN: "The name is in use.",
    InputCode.CONFLICT: "It was changed meanwhile.",
}

if TYPE_CHECKING:

    class InputProblem(Enum):
        """Made from the codes of events and of other inputs."""

else:
    InputProblem = strawberry.enum(
        Enum(
            "InputProblem",
            {
                code.value: strawberry.enum_value(code, description=_PROBLEMS[code])
                for code in (*Code, *InputCode)
            },
        ),
        description="What is wrong with an input, or what its sender should know.",
    )


@strawberry.type(description="An error in the input that its sender can correct.")
class UserError:
    field: list[str] | None = strawberry.field(
        description="The path in the arguments, such as [input, time]; null for the whole input."
    )
    code: InputProblem = strawberry.field(description="The kind of error, for programs.")
    message: str = strawberry.field(description="The error in words, for people.")
