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
from schema.names import constant_name, type_name
from storage.dimensions import DIMENSIONS
from storage.facts import FACTS
from storage.facts.fact import Clock as DomainClock
from storage.facts.fact import Entity
from storage.facts.fact import Fact as DomainFact


def _value(value: Any, description: str) -> Any:
    return strawberry.enum_value(value, description=description)


@strawberry.enum(description="The outcome of an event.")
class EventOutcome(Enum):
    ACCEPTED = _value(EventStatus.ACCEPTED, "It is stored.")
    DUPLICATE = _value(
        EventStatus.DUPLICATE,
        "An event with its id and time was stored before; `code` is set if the contents differ.",
    )
    REJECTED = _value(EventStatus.REJECTED, "It is not stored; `code` is the reason.")


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


@strawberry.enum(description="The time by which a measure counts.")
class Clock(Enum):
    CREATED = _value(DomainClock.CREATED, "The time something was created.")
    FINISHED = _value(DomainClock.FINISHED, "The time something finished.")
    OCCURRED = _value(DomainClock.OCCURRED, "The time an event occurred.")


@strawberry.enum(description="The unit of a value.")
class Unit(Enum):
    COUNT = _value(measures.Unit.COUNT, "A whole number.")
    FRACTION = _value(measures.Unit.FRACTION, "A fraction from 0 to 1.")
    MILLISECONDS = _value(measures.Unit.MILLISECONDS, "Milliseconds.")
    PER_WEEK = _value(measures.Unit.PER_WEEK, "A number per week.")
    PER_DAY = _value(measures.Unit.PER_DAY, "A number per day.")
    PER_HOUR = _value(measures.Unit.PER_HOUR, "A number per hour.")
    PER_MINUTE = _value(measures.Unit.PER_MINUTE, "A number per minute.")
    PER_SECOND = _value(measures.Unit.PER_SECOND, "A number per second.")
    OF_METRIC = _value(measures.Unit.OF_METRIC, "The unit of the metric.")


@strawberry.enum(description="What the rows of a group have in common.")
class GroupKind(Enum):
    NAMED = _value(groups.GroupKind.NAMED, "The same name.")
    NONE = _value(groups.GroupKind.NONE, "They gave no name.")
    UNKNOWN = _value(
        groups.GroupKind.UNKNOWN,
        "Their name is not provisioned, or their project has too many names.",
    )
    OTHERS = _value(groups.GroupKind.OTHERS, "They are in none of the other groups.")


@strawberry.enum(description="The tables that figures were read from.")
class Source(Enum):
    RAW = _value(answer.Source.RAW, "The events and their states.")
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


def enum_of(name: str, description: str, values: Mapping[str, Any]) -> Any:
    return strawberry.enum(Enum(name, values), description=description)  # type: ignore[call-overload]


def described(values: type[Enum], *descriptions: str) -> dict[str, Any]:
    """The values of a domain's enum, with the description of each in their order."""
    return {
        each.name: _value(each, about) for each, about in zip(values, descriptions, strict=True)
    }


_STATUSES = {
    "QUEUED": "It waits to start.",
    "IN_PROGRESS": "It is running.",
    "SUCCEEDED": "It finished successfully.",
    "FAILED": "It finished without success.",
    "CANCELLED": "It was ended before it could finish.",
    "ROLLED_BACK": "It was rolled back.",
}
_EVENTS = _STATUSES | {"STARTED": "It started.", "PROGRESS": "It is still running."}


@cache
def status_enum(fact: Entity) -> Any:
    """Makes the enum `<Stem>Status` of an entity's statuses."""
    values = {each.name: _value(each, _STATUSES[each.name]) for each in fact.lifecycle.statuses}
    return enum_of(f"{fact.stem}Status", f"The status of a {fact.name}.", values)


@cache
def event_type_enum(fact: Entity) -> Any:
    """Makes the enum `<Stem>EventType` of the events that an entity's status follows."""
    values = {each.name: _value(each, _EVENTS[each.name]) for each in fact.lifecycle.status_of}
    return enum_of(f"{fact.stem}EventType", f"What an event reports about a {fact.name}.", values)


@cache
def choice_enum(wire: Wire, name: str) -> Any:
    """Makes the enum `<Fact><Field>` of an event's field with few words; its values are stored."""
    field = wire.named[name]
    assert isinstance(field.kind, Choice)
    values = {
        word.upper(): _value(field.kind.values[word], f"{word.capitalize()}.")
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
            f"{constant_name(FACTS[measure.fact])}_{measure.name.upper()}": _value(
                measure, measure.description
            )
            for measure in MEASURES.values()
        },
    )
    Dimension = enum_of(
        "Dimension",
        "What figures are grouped by.",
        {
            name.upper(): _value(dimension, f"The {dimension.label} of the {dimension.words}.")
            for name, dimension in DIMENSIONS.items()
        },
    )
    Fact = enum_of(
        "Fact",
        "A kind of event that figures are about.",
        {
            constant_name(fact): _value(fact, f"{fact.noun[0].upper()}{fact.noun[1:]}.")
            for fact in FACTS.values()
        },
    )
