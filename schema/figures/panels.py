"""Panels: the measures in a fact's types, and what a selection of them has to load."""

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

from analytics.intervals import Interval as DomainInterval
from analytics.measures import Measure, MeasureKind, Unit, measures_of
from resolvers.groups import Grouping
from resolvers.population import Breakdown, EarlierRange
from resolvers.statistics import DURATIONS
from schema.enums import Comparison, Interval
from schema.scalars import Long
from schema.selection import Selected, Selection
from storage.dimensions import PROJECT, Dimension
from storage.facts import FACTS
from storage.facts.fact import Append, Fact

Member = TypeVar("Member", bound=Enum)


@cache
def headlines(fact: Fact) -> Mapping[str, Measure]:
    """The measures of a fact that are fields of its types, by GraphQL name."""
    return {
        to_camel_case(measure.name): measure
        for measure in measures_of(fact.name)
        if measure.headline
    }


def measure_fields(fact: Fact, *, shares: bool) -> dict[str, Any]:
    """Makes the fields of the headline measures: of those that are shares, or of all others."""
    return {
        measure.name: _field(measure)
        for measure in headlines(fact).values()
        if (measure.kind is MeasureKind.SHARE) is shares
    }


def _field(measure: Measure) -> Any:
    number, text = _number(measure), measure.description
    if measure.when_empty is not None:
        return strawberry.field(description=text, graphql_type=number)
    text = f"{text.removesuffix('.')}; null {measure.null_where}."
    return strawberry.field(description=text, graphql_type=number | None)


def _number(measure: Measure) -> Any:
    if measure.unit is not Unit.COUNT:
        return float
    return Long if isinstance(FACTS[measure.fact], Append) else int


class Panels:
    """Reads selections of a fact's statistics; its methods are for `look_ahead`."""

    def __init__(self, fact: Fact) -> None:
        self.fact = fact
        self.dimensions = {
            to_camel_case(f"by_{dimension}"): dimension for dimension in (PROJECT, *fact.dimensions)
        }

    def measures(self, _selection: Selection, fields: list[Selected]) -> frozenset[Measure]:
        """The measures among selected fields."""
        known = headlines(self.fact)
        return frozenset(known[field.name] for field in fields if field.name in known)

    def grouping(
        self, dimension: Dimension, selection: Selection, fields: list[Selected]
    ) -> Grouping:
        """The grouping by a dimension of which these fields are selected."""
        series: dict[DomainInterval, frozenset[Measure]] = {}
        for field in fields:
            if field.name == "series":
                interval, below = _interval(field), self._below(selection, field)
                series[interval] = below | series.get(interval, frozenset())
        measures = self.measures(selection, fields)
        return Grouping(dimension, measures, frozenset(field.name for field in fields), series)

    def breakdowns(self, selection: Selection, fields: list[Selected]) -> list[Breakdown]:
        """The totals first, then the breakdowns of each selected panel."""
        found = [Breakdown(self.measures(selection, fields))]
        for field in fields:
            found += self._panel(selection, field)
        return found

    def _panel(self, selection: Selection, field: Selected) -> Iterable[Breakdown]:
        if field.name in self.dimensions:
            below, dimension = selection.fields([field.below]), self.dimensions[field.name]
            return self.grouping(dimension, selection, below).breakdowns()
        match field.name:
            case "series":
                return [Breakdown(self._below(selection, field), _interval(field))]
            case "previous":
                return [Breakdown(self._below(selection, field), earlier=_earlier(field))]
            case "durationMs" | "distribution":
                return [DURATIONS]
            case _:
                return []

    def _below(self, selection: Selection, field: Selected) -> frozenset[Measure]:
        return self.measures(selection, selection.fields([field.below]))


@cache
def panels_of(fact: Fact) -> Panels:
    return Panels(fact)


def _interval(field: Selected) -> DomainInterval:
    found: DomainInterval = _member(Interval, field.arguments.get("interval"), Interval.AUTO)
    return found


def _earlier(field: Selected) -> EarlierRange:
    compare, whole = field.arguments.get("compare"), field.arguments.get("compareWhole")
    return EarlierRange(_member(Comparison, compare, Comparison.PREVIOUS_PERIOD), bool(whole))


def _member(kind: type[Member], given: Any, default: Member) -> Any:
    """The domain's value of an enum argument: a name in a document, a member in a variable."""
    if given is None:
        return default.value
    return given.value if isinstance(given, kind) else kind[given].value
