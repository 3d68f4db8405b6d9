"""Measures: the catalogue, and the fields that it adds to types."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

from analytics.measures import MEASURES, MeasureKind
from analytics.measures import Measure as DomainMeasure
from analytics.measures import Unit as DomainUnit
from schema.enums import Clock, Measure, Unit
from schema.selection import Selected

Class = TypeVar("Class", bound=type)

# A share of the whole range has a meaning, a share of each bucket has none.
OF_TOTALS = tuple(MEASURES.values())
OF_POINTS = tuple(measure for measure in OF_TOTALS if measure.kind is not MeasureKind.SHARE)


def with_measures(
    measures: Iterable[DomainMeasure], unknown: Iterable[MeasureKind] = ()
) -> Callable[[Class], Class]:
    """Adds a field for each measure to a type; measures of `unknown` kinds may be null."""

    def add(cls: Class) -> Class:
        for measure in measures:
            number = int if measure.unit is DomainUnit.COUNT else float
            optional = _may_be_null(measure) or measure.kind in unknown
            cls.__annotations__[measure.name] = number | None if optional else number
            text = describe(measure)
            if measure.kind in unknown:
                text += " It is null for the group of all others."
            setattr(cls, measure.name, strawberry.field(description=text))
        return cls

    return add


def _may_be_null(measure: DomainMeasure) -> bool:
    return measure.when_empty is None and measure.kind is not MeasureKind.DISTINCT


def describe(measure: DomainMeasure) -> str:
    return f"{measure.description} Formula: {measure.formula}. By {measure.clock.value} time."


FIELDS = {to_camel_case(name): name for name in MEASURES}


def selected_measures(fields: Iterable[Selected]) -> frozenset[str]:
    """Returns the names of the measures among selected fields."""
    return frozenset(FIELDS[field.name] for field in fields if field.name in FIELDS)


@strawberry.type(description="A measure and how it is computed.")
class MeasureInfo:
    measure: Measure = strawberry.field(description="The name of the measure in `metrics`.")
    field: str = strawberry.field(description="The name of its field in statistics.")
    fact: str = strawberry.field(description="The kind of event it is about.")
    unit: Unit = strawberry.field(description="The unit of its values.")
    clock: Clock = strawberry.field(description="The time by which it counts deployments.")
    formula: str = strawberry.field(description="The formula, such as `failed / finished`.")
    description: str = strawberry.field(description="What the measure means.")
    additive: bool = strawberry.field(
        description="True if the values of buckets and groups add up to the total."
    )
    error_bound: float | None = strawberry.field(
        description="The largest relative error, as a fraction; null if the measure is exact."
    )


def catalogue() -> list[MeasureInfo]:
    return [
        MeasureInfo(
            measure=Measure(measure.name),
            field=to_camel_case(measure.name),
            fact=measure.fact,
            unit=Unit(measure.unit),
            clock=Clock(measure.clock),
            formula=measure.formula,
            description=measure.description,
            additive=measure.additive,
            error_bound=measure.error_bound,
        )
        for measure in MEASURES.values()
    ]
