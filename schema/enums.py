"""Enums: the GraphQL names of values of the domain."""

from enum import Enum
from typing import TYPE_CHECKING, Any

import strawberry

from access import viewers
from analytics import answer, intervals, measures, periods
from analytics.dimensions import Dimension as DomainDimension
from ingest.events import EventStatus
from resolvers import statistics
from storage.facts.deployments import EventType, Status
from storage.facts.fact import Clock as DomainClock


def _value(value: Any, description: str) -> Any:
    return strawberry.enum_value(value, description=description)


@strawberry.enum(description="The status of a deployment.")
class DeploymentStatus(Enum):
    QUEUED = _value(Status.QUEUED, "It waits to start.")
    IN_PROGRESS = _value(Status.IN_PROGRESS, "It is running.")
    SUCCEEDED = _value(Status.SUCCEEDED, "It finished and is live.")
    FAILED = _value(Status.FAILED, "It finished without success.")
    CANCELLED = _value(Status.CANCELLED, "It was ended before it could finish.")
    ROLLED_BACK = _value(Status.ROLLED_BACK, "It was rolled back.")


@strawberry.enum(description="What an event reports about a deployment.")
class DeploymentEventType(Enum):
    QUEUED = _value(EventType.QUEUED, "The deployment waits to start.")
    STARTED = _value(EventType.STARTED, "It started.")
    PROGRESS = _value(EventType.PROGRESS, "It is still running.")
    SUCCEEDED = _value(EventType.SUCCEEDED, "It finished and is live.")
    FAILED = _value(EventType.FAILED, "It finished without success.")
    CANCELLED = _value(EventType.CANCELLED, "It was ended before it could finish.")
    ROLLED_BACK = _value(EventType.ROLLED_BACK, "It was rolled back.")


@strawberry.enum(description="The outcome of an event.")
class EventOutcome(Enum):
    ACCEPTED = _value(EventStatus.ACCEPTED, "It is stored.")
    DUPLICATE = _value(
        EventStatus.DUPLICATE,
        "An event with its id and time was stored before; `code` is set if the contents differ.",
    )
    REJECTED = _value(EventStatus.REJECTED, "It is not stored; `code` is the reason.")


@strawberry.enum(description="What figures are grouped by.")
class Dimension(Enum):
    PROJECT = _value(DomainDimension.PROJECT, "The slug of the project.")
    ENVIRONMENT = _value(DomainDimension.ENVIRONMENT, "The name of the environment.")
    NETWORK = _value(DomainDimension.NETWORK, "The name of the network.")
    TEMPLATE = _value(DomainDimension.TEMPLATE, "The slug of the template.")
    FRAMEWORK = _value(DomainDimension.FRAMEWORK, "The name of the framework.")


@strawberry.enum(description="A unit of the calendar, in the time zone of the request.")
class CalendarUnit(Enum):
    DAY = _value(periods.CalendarUnit.DAY, "Midnight to midnight.")
    WEEK = _value(periods.CalendarUnit.WEEK, "Monday to Monday.")
    MONTH = _value(periods.CalendarUnit.MONTH, "The first of a month to the first of the next.")
    QUARTER = _value(
        periods.CalendarUnit.QUARTER, "Three months from January, April, July or October."
    )
    YEAR = _value(periods.CalendarUnit.YEAR, "1 January to 1 January.")


@strawberry.enum(description="The length of buckets, in the time zone of the request.")
class Interval(Enum):
    MINUTE = _value(intervals.Interval.MINUTE, "One minute; for ranges of up to a day.")
    HOUR = _value(intervals.Interval.HOUR, "One hour; for ranges of up to a month.")
    DAY = _value(intervals.Interval.DAY, "Midnight to midnight; for ranges of up to a year.")
    WEEK = _value(intervals.Interval.WEEK, "Monday to Monday.")
    MONTH = _value(intervals.Interval.MONTH, "The first of a month to the first of the next.")
    AUTO = _value(intervals.Interval.AUTO, "Chosen by the length of the range.")


@strawberry.enum(description="The earlier range that a range is compared with.")
class Comparison(Enum):
    PREVIOUS_PERIOD = _value(
        periods.Comparison.PREVIOUS_PERIOD,
        "The previous calendar unit, or the same length of time just before the range.",
    )
    PREVIOUS_WEEK = _value(periods.Comparison.PREVIOUS_WEEK, "The same times one week earlier.")
    PREVIOUS_MONTH = _value(periods.Comparison.PREVIOUS_MONTH, "The same times one month earlier.")
    PREVIOUS_YEAR = _value(periods.Comparison.PREVIOUS_YEAR, "The same times one year earlier.")


@strawberry.enum(description="The time by which deployments are counted.")
class Clock(Enum):
    CREATED = _value(DomainClock.CREATED, "The time it was created.")
    FINISHED = _value(DomainClock.FINISHED, "The time it finished.")


@strawberry.enum(description="The unit of a value.")
class Unit(Enum):
    COUNT = _value(measures.Unit.COUNT, "A whole number.")
    FRACTION = _value(measures.Unit.FRACTION, "A fraction from 0 to 1.")
    MILLISECONDS = _value(measures.Unit.MILLISECONDS, "Milliseconds.")
    PER_DAY = _value(measures.Unit.PER_DAY, "A number per day.")
    PER_WEEK = _value(measures.Unit.PER_WEEK, "A number per week.")


@strawberry.enum(description="What the deployments of a group have in common.")
class GroupKind(Enum):
    NAMED = _value(statistics.GroupKind.NAMED, "The same name.")
    NONE = _value(statistics.GroupKind.NONE, "The deployments gave no name.")
    UNKNOWN = _value(
        statistics.GroupKind.UNKNOWN,
        "Their name is not provisioned, or their project has too many names.",
    )
    OTHERS = _value(statistics.GroupKind.OTHERS, "They are in none of the other groups.")


@strawberry.enum(description="The tables that figures were read from.")
class Source(Enum):
    RAW = _value(answer.Source.RAW, "The deployments.")
    ROLLUP = _value(answer.Source.ROLLUP, "Roll-ups, which every event updates.")
    MIXED = _value(answer.Source.MIXED, "Both.")


@strawberry.enum(description="The access that a token gives.")
class Role(Enum):
    VIEWER = _value(viewers.Role.VIEWER, "Reads the token's projects.")
    MAINTAINER = _value(
        viewers.Role.MAINTAINER, "Reads the token's projects, and manages their alerts and errors."
    )
    INGEST = _value(viewers.Role.INGEST, "Records events of the token's projects; reads nothing.")
    ADMIN = _value(viewers.Role.ADMIN, "Reads, records, provisions and administers everything.")


@strawberry.enum(description="The direction of sorting.")
class Direction(Enum):
    ASC = _value("asc", "Smallest or oldest first.")
    DESC = _value("desc", "Largest or newest first.")


if TYPE_CHECKING:

    class Measure(Enum):
        """Made from analytics.measures."""

else:
    Measure = strawberry.enum(
        Enum(
            "Measure",
            {
                name.upper(): _value(name, measure.description)
                for name, measure in measures.MEASURES.items()
            },
        ),
        description="A measure of the catalogue; `measures` describes each.",
    )
