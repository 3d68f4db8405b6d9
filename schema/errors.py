"""Errors in the input of a mutation, which its sender can correct."""

import strawberry

WHY_REFUSED = "Why the input was refused; empty if it was not."


@strawberry.type(description="An error in the input that its sender can correct.")
class UserError:
    field: str | None = strawberry.field(
        description="The path in the input, such as inputs.3.time; null for the whole input."
    )
    code: str = strawberry.field(description="The kind of error, for programs.")
    message: str = strawberry.field(description="The error in words, for people.")
