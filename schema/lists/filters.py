"""Filters of lists: typed conditions, joined by and, or and not, within limits."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import strawberry

from schema.declarations import optional
from schema.enums import DeploymentStatus, Direction
from storage.errors import InvalidInput, LimitExceeded
from storage.names import can_be_stored
from storage.queries.conditions import All, Condition, Either, Filter, Not, Operator
from storage.queries.deployments import Order

MAX_DEPTH = 5
MAX_VALUES = 100
MAX_CONDITIONS = 50
MAX_TEXT_LENGTH = 200


@strawberry.input(description="A condition on a text; all given fields must hold.")
class StringFilter:
    eq: str | None = optional("It is this text.")
    in_: list[str] | None = optional(f"It is one of these texts, at most {MAX_VALUES}.", "in")
    not_in: list[str] | None = optional("It is none of these texts, or null.")
    contains: str | None = optional("It contains this text, in upper or lower case.")
    is_null: bool | None = optional("It is null; with false, it is not null.")


@strawberry.input(description="A condition on a status; all given fields must hold.")
class DeploymentStatusFilter:
    eq: DeploymentStatus | None = optional("It is this status.")
    in_: list[DeploymentStatus] | None = optional("It is one of these statuses.", "in")
    not_in: list[DeploymentStatus] | None = optional("It is none of these statuses.")


@strawberry.input(description="A condition on a time; all given fields must hold.")
class DateTimeFilter:
    gte: datetime | None = optional("At this time or later.")
    gt: datetime | None = optional("Later than this time.")
    lte: datetime | None = optional("At this time or earlier.")
    lt: datetime | None = optional("Earlier than this time.")
    is_null: bool | None = optional("It is null; with false, it is not null.")


@strawberry.input(description="A condition on a number; all given fields must hold.")
class NumberFilter:
    gte: float | None = optional("This number or more.")
    gt: float | None = optional("More than this number.")
    lte: float | None = optional("This number or less.")
    lt: float | None = optional("Less than this number.")
    is_null: bool | None = optional("It is null; with false, it is not null.")


@strawberry.input(description="A condition on the project; all given fields must hold.")
class ProjectFilter:
    eq: str | None = optional("The project with this slug.")
    in_: list[str] | None = optional(f"The projects with these slugs, at most {MAX_VALUES}.", "in")
    not_in: list[str] | None = optional("All projects except those with these slugs.")


@strawberry.input(
    description=(
        "A condition on deployments; all given fields must hold. `contains` needs a lower bound "
        "on `createdAt`."
    )
)
class DeploymentFilter:
    project: ProjectFilter | None = optional("The project.")
    status: DeploymentStatusFilter | None = optional("The status.")
    environment: StringFilter | None = optional("The name of the environment, as sent.")
    network: StringFilter | None = optional("The name of the network, as sent.")
    template: StringFilter | None = optional("The slug of the template, as sent.")
    framework: StringFilter | None = optional("The name of the framework, as sent.")
    actor: StringFilter | None = optional("Who started it.")
    error: StringFilter | None = optional("Why it failed.")
    external_id: StringFilter | None = optional("The id as it was sent.")
    created_at: DateTimeFilter | None = optional("When it was created.")
    started_at: DateTimeFilter | None = optional("When it started.")
    finished_at: DateTimeFilter | None = optional("When it finished.")
    duration_ms: NumberFilter | None = optional("The duration, in milliseconds.")
    and_: list["DeploymentFilter"] | None = optional("All of these hold.", "and")
    or_: list["DeploymentFilter"] | None = optional("At least one of these holds.", "or")
    not_: "DeploymentFilter | None" = optional("This does not hold.", "not")

    def condition(self) -> Filter:
        """Converts the filter; raises LimitExceeded or InvalidInput."""
        found = _joined(self, depth=1)
        _check(_size(found), MAX_CONDITIONS, "conditions per filter", "filter")
        return found


# Fields whose column has another name; durations are stored in microseconds.
COLUMNS = {"project": "project_slug", "duration_ms": "duration_us"}
JOINS = ("and_", "or_", "not_")


def _joined(given: DeploymentFilter, depth: int) -> All:
    _check(depth, MAX_DEPTH, "filter depth", "filter")
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
                yield Condition(column, kind, _column_value(value, column, field.name))


def _column_value(value: Any, column: str, name: str) -> Any:
    """Converts a filter's value to the type and unit of its column."""
    if isinstance(value, list):
        _check(len(value), MAX_VALUES, "values per filter list", name)
        return tuple(_column_value(item, column, name) for item in value)
    if isinstance(value, Enum):
        return int(value.value)
    if isinstance(value, str):
        return _text(value, name)
    if column == "duration_us" and not isinstance(value, bool):
        return round(max(-MAX_MILLISECONDS, min(MAX_MILLISECONDS, value)) * 1000)
    return value


# No duration is longer than a thousand years; the column could not be compared with more.
MAX_MILLISECONDS = timedelta(days=366_000) / timedelta(milliseconds=1)


def _text(value: str, name: str) -> str:
    _check(len(value), MAX_TEXT_LENGTH, "characters per filter text", name)
    if not can_be_stored(value):
        raise InvalidInput("The text holds NUL or half a surrogate pair; remove it.", path=name)
    return value


def _check(found: int, most: int, limit: str, path: str) -> None:
    """Raises LimitExceeded beyond a limit."""
    if found > most:
        raise LimitExceeded(
            f"The filter is too large ({limit}): {found}, and at most {most} are allowed.",
            limit=f"{limit}: {most}",
            path=path,
        )


def _size(filter: Filter) -> int:
    match filter:
        case Condition():
            return 1
        case All(parts) | Either(parts):
            return 1 + sum(map(_size, parts))
        case Not(part):
            return 1 + _size(part)


@strawberry.enum(description="What deployments are sorted by.")
class DeploymentOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="The time of creation.")
    FINISHED_AT = strawberry.enum_value(
        "finished_at", description="The time they finished; unfinished ones are left out."
    )
    DURATION_MS = strawberry.enum_value(
        "duration_us",
        description="The duration; deployments without one are left out. Needs a lower bound on "
        "`createdAt`.",
    )


@strawberry.input(description="The order of deployments; the id decides between equal ones.")
class DeploymentOrder:
    field: DeploymentOrderField = strawberry.field(
        default=DeploymentOrderField.CREATED_AT, description="What to sort by."
    )
    direction: Direction = strawberry.field(default=Direction.DESC, description="The direction.")

    def order(self) -> Order:
        return Order(str(self.field.value), descending=self.direction is Direction.DESC)
