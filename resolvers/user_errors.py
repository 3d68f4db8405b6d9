"""Errors in the input of a mutation, which its sender can correct."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ingest.events import Code


class InputCode(StrEnum):
    """Kinds of errors that only other inputs than events have."""

    NOT_FOUND = "NOT_FOUND"
    RESERVED = "RESERVED"
    TOO_MANY = "TOO_MANY"
    TAKEN = "TAKEN"
    CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True)
class UserError:
    """An error in the input; `field` is its path in the arguments, None for the whole input."""

    field: list[str] | None
    code: Code | InputCode
    message: str


def wrong(field: str, message: str, code: Code | InputCode = Code.INVALID_VALUE) -> UserError:
    """An error in the value of a field of `input`."""
    return UserError(["input", field], code, message)


def too_many(message: str) -> UserError:
    """An error that no change of the input corrects."""
    return UserError(None, InputCode.TOO_MANY, message)


def no_project(slug: str, code: Code | InputCode = InputCode.NOT_FOUND) -> UserError:
    """The error in `input.project` of a slug that is not in scope."""
    return wrong("project", f"There is no project {slug[:100]!r}.", code)
