"""Enums: the GraphQL names of values of the domain."""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

import strawberry
from strawberry.utils.str_converters import capitalize_first

from access import viewers
from analytics import answer, intervals, measures, periods
from analytics.measures import MEASURES
from ingest.events import EventStatus
from ingest.wire import WIRES
from ingest.wire.kinds import Choice
from ingest.wire.wire import Wire
from resolvers import groups
from schema.declarations import valued
from schema.names import constant_name, type_name
from storage.dimensions import DIMENSIONS
from storage.facts import FACTS
from storage.facts.fact import Clock as DomainClock
from storage.facts.fact import Entity
from storage.facts.fact import Fact as DomainFact


@strawberry.enum(description="The outcome of an event.")
class EventOutcome(Enum):
    ACCEPTED = valued(EventStatus.ACCEPTED, "It is stored.")
    DUPLICATE = valued(
        EventStatus.DUPLICATE,
        "An event with its id and time was stored before; `code` is set if the contents differ.",
    )
    REJECTED = valued(EventStatus.REJECTED, "It is not stored; `code` is the reason.")


@strawberry.enum(description="A unit of the calendar, in the time zone of the request.")
class CalendarUnit(Enum):
    DAY = valued(periods.CalendarUnit.DAY, "Midnight to midnight.")
    WEEK = valued(periods.CalendarUnit.WEEK, "Monday to Monday.")
    MONTH = valued(periods.CalendarUnit.MONTH, "The first of a month to the first of the next.")
    QUARTER = valued(
        periods.CalendarUnit.QUARTER, "Three months from January, April, July or October."
    )
    YEAR = valued(periods.CalendarUnit.YEAR, "1 January to 1 January.")


@strawberry.enum(description="The length of buckets, in the time zone of the request.")
class Interval(Enum):
    MINUTE = valued(intervals.Interval.MINUTE, "One minute; for ranges of up to a day.")
    HOUR = valued(intervals.Interval.HOUR, "One hour; for ranges of up to a month.")
    DAY = valued(intervals.Interval.DAY, "Midnight to midnight; for ranges of up to a year.")
    WEEK = valued(intervals.Interval.WEEK, "Monday to Monday.")
    MONTH = valued(intervals.Interval.MONTH, "The first of a month to the first of the next.")
    AUTO = valued(
        intervals.Interval.AUTO,
        "The shortest by which the range has at most 180 points and whose buckets are still "
        "stored from its start on.",
    )


@strawberry.enum(description="The earlier range that a range is compared with.")
class Comparison(Enum):
    PREVIOUS_PERIOD = valued(
        periods.Comparison.PREVIOUS_PERIOD,
        "The previous calendar unit, or the same length of time just before the range.",
    )
    PREVIOUS_WEEK = valued(periods.Comparison.PREVIOUS_WEEK, "The same times one week earlier.")
    PREVIOUS_MONTH = valued(periods.Comparison.PREVIOUS_MONTH, "The same times one month earlier.")
    PREVIOUS_YEAR = valued(periods.Comparison.PREVIOUS_YEAR, "The same times one year earlier.")


@strawberry.enum(description="The time by which a measure counts.")
class Clock(Enum):
    CREATED = valued(DomainClock.CREATED, "The time something was created.")
    FINISHED = valued(DomainClock.FINISHED, "The time something finished.")
    OCCURRED = valued(DomainClock.OCCURRED, "The time an event occurred.")
    END = valued(DomainClock.END, "The end of the range, or now if that lies ahead.")


@strawberry.enum(description="The unit of a value.")
class Unit(Enum):
    COUNT = valued(measures.Unit.COUNT, "A whole number.")
    FRACTION = valued(measures.Unit.FRACTION, "A fraction from 0 to 1.")
    MILLISECONDS = valued(measures.Unit.MILLISECONDS, "Milliseconds.")
    DAYS = valued(measures.Unit.DAYS, "Days.")
    PER_WEEK = valued(measures.Unit.PER_WEEK, "A number per week.")
    PER_DAY = valued(measures.Unit.PER_DAY, "A number per day.")
    PER_HOUR = valued(measures.Unit.PER_HOUR, "A number per hour.")
    PER_MINUTE = valued(measures.Unit.PER_MINUTE, "A number per minute.")
    PER_SECOND = valued(measures.Unit.PER_SECOND, "A number per second.")
    OF_METRIC = valued(measures.Unit.OF_METRIC, "The unit of the metric.")


@strawberry.enum(description="What the rows of a group have in common.")
class GroupKind(Enum):
    NAMED = valued(groups.GroupKind.NAMED, "The same name.")
    NONE = valued(groups.GroupKind.NONE, "They gave no name.")
    UNKNOWN = valued(
        groups.GroupKind.UNKNOWN,
        "Their name is not provisioned, or their project has too many names.",
    )
    OTHERS = valued(groups.GroupKind.OTHERS, "They are in none of the other groups.")


@strawberry.enum(description="The tables that figures were read from.")
class Source(Enum):
    RAW = valued(answer.Source.RAW, "The events and their states.")
    ROLLUP = valued(answer.Source.ROLLUP, "Roll-ups, which every event updates.")
    MIXED = valued(answer.Source.MIXED, "Both.")


@strawberry.enum(description="The access that a token gives.")
class Role(Enum):
    VIEWER = valued(viewers.Role.VIEWER, "Reads the token's projects.")
    MAINTAINER = valued(
        viewers.Role.MAINTAINER, "Reads the token's projects, and manages their alerts and errors."
    )
    INGEST = valued(viewers.Role.INGEST, "Records events of the token's projects; reads nothing.")
    ADMIN = valued(viewers.Role.ADMIN, "Reads, records, provisions and administers everything.")


@strawberry.enum(description="The direction of sorting.")
class Direction(Enum):
    ASC = valued("asc", "Smallest or oldest first.")
    DESC = valued("desc", "Largest or newest first.")


def enum_of(name: str, description: str, values: Mapping[str, Any]) -> Any:
    return strawberry.enum(Enum(name, values), description=description)  # type: ignore[call-overload]


def described(values: type[Enum], *descriptions: str) -> dict[str, Any]:
    """The values of a domain's enum, with the description of each in their order."""
    return {
        each.name: valued(each, about) for each, about in zip(values, descriptions, strict=True)
    }


_STATUSES = {
    "QUEUED": "It waits to start.",
    "IN_PROGRESS": "It is running.",
    "SUCCEEDED": "It finished successfully.",
    "FAILED": "It finished without success.",
    "CANCELLED": "It was ended before it could finish.",
    "ROLLED_BACK": "It was rolled back.",
    "REQUESTED": "It was asked for.",
    "ISSUED": "It was issued.",
    "RENEWED": "It was issued in place of an earlier one.",
    "REMOVED": "It was revoked or deleted.",
}
_EVENTS = _STATUSES | {"STARTED": "It started.", "PROGRESS": "It is still running."}


@cache
def status_enum(fact: Entity) -> Any:
    """Makes the enum `<Stem>Status` of an entity's statuses."""
    values = {each.name: valued(each, _STATUSES[each.name]) for each in fact.lifecycle.statuses}
    return enum_of(f"{fact.stem}Status", f"The status of a {fact.name}.", values)


@cache
def event_type_enum(fact: Entity) -> Any:
    """Makes the enum `<Stem>EventType` of the events that an entity's status follows."""
    values = {each.name: valued(each, _EVENTS[each.name]) for each in fact.lifecycle.status_of}
    return enum_of(f"{fact.stem}EventType", f"What an event reports about a {fact.name}.", values)


@cache
def choice_enum(wire: Wire, name: str) -> Any:
    """Makes the enum `<Fact><Field>` of an event's field with few words; its values are stored."""
    field = wire.named[name]
    assert isinstance(field.kind, Choice)
    values = {
        word.upper(): valued(field.kind.values[word], f"{word.capitalize()}.")
        for word in field.kind.words
    }
    about = field.about.partition(";")[0].rstrip(".")  # without what the input has by default
    return enum_of(f"{type_name(wire.fact)}{capitalize_first(name)}", f"{about}.", values)


def status_of(fact: DomainFact) -> tuple[str, Any] | None:
    """The column of a fact's status, and its type in the schema; None if its rows have none."""
    if isinstance(fact, Entity):
        return "status", status_enum(fact)
    wire = WIRES[fact.name]
    field = wire.named.get("status")
    if field is None:
        return None
    return field.filled, choice_enum(wire, "status") if isinstance(field.kind, Choice) else int


if TYPE_CHECKING:

    class Measure(Enum):
        """Made from analytics.measures."""

    class Dimension(Enum):
        """Made from storage.dimensions."""

    class Fact(Enum):
        """Made from storage.facts."""

else:
    Measure = enum_of(
        "Measure",
        "A measure of the catalogue; `measures` describes each.",
        {
            f"{constant_name(FACTS[measure.fact])}_{measure.name.upper()}": valued(
                measure, measure.description
            )
            for measure in MEASURES.values()
        },
    )
    Dimension = enum_of(
        "Dimension",
        "What figures are grouped by.",
        {
            name.upper(): valued(dimension, f"The {dimension.label} of the {dimension.words}.")
            for name, dimension in DIMENSIONS.items()
        },
    )
    Fact = enum_of(
        "Fact",
        "A kind of event that figures are about.",
        {
            constant_name(fact): valued(fact, f"{fact.noun[0].upper()}{fact.noun[1:]}.")
            for fact in FACTS.values()
        },
    )
