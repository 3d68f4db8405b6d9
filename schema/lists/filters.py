"""Filters of lists: typed conditions, joined by and, or and not, within bounds."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import strawberry

from schema.enums import DeploymentStatus, Direction
from storage.errors import InvalidInput, LimitExceeded
from storage.queries.conditions import All, Condition, Either, Filter, Not, Operator
from storage.queries.deployments import Order

MAX_DEPTH = 5
MAX_VALUES = 100
MAX_CONDITIONS = 50
MAX_TEXT_LENGTH = 200


@strawberry.input(description="A condition on a text; all fields given hold together.")
class StringFilter:
    eq: str | None = strawberry.field(default=None, description="It is this text.")
    in_: list[str] | None = strawberry.field(
        name="in", default=None, description=f"It is one of these texts, at most {MAX_VALUES}."
    )
    not_in: list[str] | None = strawberry.field(
        default=None, description="It is none of these texts, or missing."
    )
    contains: str | None = strawberry.field(
        default=None, description="It contains this text, whatever the case of the letters."
    )
    is_null: bool | None = strawberry.field(default=None, description="It is missing.")


@strawberry.input(description="A condition on a status; all fields given hold together.")
class DeploymentStatusFilter:
    eq: DeploymentStatus | None = strawberry.field(default=None, description="It is this status.")
    in_: list[DeploymentStatus] | None = strawberry.field(
        name="in", default=None, description="It is one of these statuses."
    )
    not_in: list[DeploymentStatus] | None = strawberry.field(
        default=None, description="It is none of these statuses."
    )


@strawberry.input(description="A condition on a time; all fields given hold together.")
class DateTimeFilter:
    gte: datetime | None = strawberry.field(default=None, description="At this time or later.")
    gt: datetime | None = strawberry.field(default=None, description="Later than this time.")
    lte: datetime | None = strawberry.field(default=None, description="At this time or earlier.")
    lt: datetime | None = strawberry.field(default=None, description="Earlier than this time.")
    is_null: bool | None = strawberry.field(default=None, description="There is no such time.")


@strawberry.input(description="A condition on a number; all fields given hold together.")
class NumberFilter:
    gte: float | None = strawberry.field(default=None, description="This number or more.")
    gt: float | None = strawberry.field(default=None, description="More than this number.")
    lte: float | None = strawberry.field(default=None, description="This number or less.")
    lt: float | None = strawberry.field(default=None, description="Less than this number.")
    is_null: bool | None = strawberry.field(default=None, description="There is no such number.")


@strawberry.input(description="A condition on the project; all fields given hold together.")
class ProjectFilter:
    eq: str | None = strawberry.field(default=None, description="The project of this slug.")
    in_: list[str] | None = strawberry.field(
        name="in",
        default=None,
        description=f"The projects of these slugs, at most {MAX_VALUES}.",
    )
    not_in: list[str] | None = strawberry.field(
        default=None, description="All projects but those of these slugs."
    )


@strawberry.input(
    description=(
        "Which deployments to list; all fields given hold together. `contains` needs a lower "
        "bound on createdAt beside it."
    )
)
class DeploymentFilter:
    project: ProjectFilter | None = strawberry.field(default=None, description="Its project.")
    status: DeploymentStatusFilter | None = strawberry.field(
        default=None, description="Where it stands."
    )
    environment: StringFilter | None = strawberry.field(
        default=None, description="The name of its environment, as sent."
    )
    network: StringFilter | None = strawberry.field(
        default=None, description="The name of its network, as sent."
    )
    template: StringFilter | None = strawberry.field(
        default=None, description="The slug of its template, as sent."
    )
    framework: StringFilter | None = strawberry.field(
        default=None, description="The name of its framework, as sent."
    )
    actor: StringFilter | None = strawberry.field(default=None, description="Who started it.")
    error: StringFilter | None = strawberry.field(default=None, description="Why it failed.")
    external_id: StringFilter | None = strawberry.field(
        default=None, description="Its id as it was sent."
    )
    created_at: DateTimeFilter | None = strawberry.field(
        default=None, description="When it was created."
    )
    started_at: DateTimeFilter | None = strawberry.field(
        default=None, description="When work on it began."
    )
    finished_at: DateTimeFilter | None = strawberry.field(
        default=None, description="When it finished."
    )
    duration_ms: NumberFilter | None = strawberry.field(
        default=None, description="How long it took, in milliseconds."
    )
    and_: list["DeploymentFilter"] | None = strawberry.field(
        name="and", default=None, description="All of these hold as well."
    )
    or_: list["DeploymentFilter"] | None = strawberry.field(
        name="or", default=None, description="At least one of these holds as well."
    )
    not_: "DeploymentFilter | None" = strawberry.field(
        name="not", default=None, description="This does not hold."
    )

    def condition(self) -> Filter:
        """The filter as the list's query takes it."""
        found = _joined(self, depth=1)
        _check_size(found)
        return found


# Fields whose column has another name; durations are kept in microseconds.
COLUMNS = {"project": "project_slug", "duration_ms": "duration_us"}
JOINS = ("and_", "or_", "not_")


def _joined(given: DeploymentFilter, depth: int) -> All:
    if depth > MAX_DEPTH:
        raise LimitExceeded(
            f"A filter nests at most {MAX_DEPTH} levels.",
            limit=f"filter depth: {MAX_DEPTH}",
            path="filter",
        )
    parts: list[Filter] = list(_conditions(given))
    parts += [_joined(part, depth + 1) for part in given.and_ or ()]
    if given.or_ is not None:
        parts.append(Either(tuple(_joined(part, depth + 1) for part in given.or_)))
    if given.not_ is not None:
        parts.append(Not(_joined(given.not_, depth + 1)))
    return All(tuple(parts))


def _conditions(given: DeploymentFilter) -> Iterator[Condition]:
    for field in fields(given):
        comparison = getattr(given, field.name)
        if field.name in JOINS or comparison is None:
            continue
        column = COLUMNS.get(field.name, field.name)
        for operator in fields(comparison):
            value = getattr(comparison, operator.name)
            if value is not None:
                kind = Operator(operator.name.rstrip("_"))
                yield Condition(column, kind, _plain(value, column, field.name))


def _plain(value: Any, column: str, name: str) -> Any:
    """The value as the column holds it."""
    if isinstance(value, list):
        if len(value) > MAX_VALUES:
            raise LimitExceeded(
                f"A list in a filter holds at most {MAX_VALUES} values.",
                limit=f"values per filter list: {MAX_VALUES}",
                path=name,
            )
        return tuple(_plain(each, column, name) for each in value)
    if isinstance(value, Enum):
        return int(value.value)
    if isinstance(value, str):
        return _text(value, name)
    if column == "duration_us" and not isinstance(value, bool):
        return round(max(-MAX_MILLISECONDS, min(MAX_MILLISECONDS, value)) * 1000)
    return value


# Beyond a thousand years no duration lies; the column could not be compared with more.
MAX_MILLISECONDS = timedelta(days=366_000) / timedelta(milliseconds=1)


def _text(value: str, name: str) -> str:
    if len(value) > MAX_TEXT_LENGTH:
        raise LimitExceeded(
            f"A text in a filter has at most {MAX_TEXT_LENGTH} characters.",
            limit=f"characters per filter text: {MAX_TEXT_LENGTH}",
            path=name,
        )
    if "\0" in value or (not value.isascii() and _has_surrogate(value)):
        raise InvalidInput("A text in a filter holds characters no text can hold.", path=name)
    return value


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in value)


def _check_size(filter: Filter) -> None:
    if _size(filter) > MAX_CONDITIONS:
        raise LimitExceeded(
            f"A filter holds at most {MAX_CONDITIONS} conditions.",
            limit=f"conditions per filter: {MAX_CONDITIONS}",
            path="filter",
        )


def _size(filter: Filter) -> int:
    match filter:
        case Condition():
            return 1
        case All(parts) | Either(parts):
            return 1 + sum(map(_size, parts))
        case Not(part):
            return 1 + _size(part)


@strawberry.enum(description="What deployments can be ordered by.")
class DeploymentOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When they were created.")
    FINISHED_AT = strawberry.enum_value(
        "finished_at", description="When they finished; unfinished ones are left out."
    )
    DURATION_MS = strawberry.enum_value(
        "duration_us",
        description="How long they took; those without a known duration are left out. Needs a "
        "lower bound on createdAt.",
    )


@strawberry.input(description="An order of deployments; equals are told apart by their ids.")
class DeploymentOrder:
    field: DeploymentOrderField = strawberry.field(
        default=DeploymentOrderField.CREATED_AT, description="What to order by."
    )
    direction: Direction = strawberry.field(default=Direction.DESC, description="Which way.")

    def order(self) -> Order:
        return Order(str(self.field.value), descending=self.direction is Direction.DESC)
