"""The catalogue of measures: each is one entry over the components of a fact."""

from functools import cache

from analytics.measures.appends import append_measures
from analytics.measures.lifecycle import lifecycle_measures
from analytics.measures.measure import Evaluator, Measure, MeasureKind, Number, Unit
from analytics.measures.own import OWN
from storage.facts import FACTS
from storage.facts.fact import Entity, Fact

__all__ = [
    "MEASURES",
    "Evaluator",
    "Measure",
    "MeasureKind",
    "Number",
    "Unit",
    "measures_of",
]


def _declared(fact: Fact) -> tuple[Measure, ...]:
    own = OWN.get(fact, ())
    if isinstance(fact, Entity):
        return lifecycle_measures(fact, *own)
    return append_measures(fact, *own)


# By fact and name.
MEASURES: dict[tuple[str, str], Measure] = {
    measure.key: measure for fact in FACTS.values() for measure in _declared(fact)
}


@cache
def measures_of(fact: str) -> tuple[Measure, ...]:
    """Returns the measures of a fact."""
    return tuple(measure for measure in MEASURES.values() if measure.fact == fact)
