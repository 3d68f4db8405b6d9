"""The measures that all append facts have: their number, how often, durations, share."""

from analytics.measures.builder import Builder
from analytics.measures.measure import Measure, Unit
from storage.facts.fact import Fact

_RATES = (Unit.PER_HOUR, Unit.PER_MINUTE, Unit.PER_SECOND)


def append_measures(fact: Fact, *own: Measure) -> tuple[Measure, ...]:
    """The measures of an append fact; those of its ``own`` follow its number."""
    of, leading = Builder(fact), fact.leading
    number = of.count(leading, f"The number of {fact.noun}.")
    return (number, *own, *_rates(of, fact), *of.durations(), *of.of_projects())


def _rates(of: Builder, fact: Fact) -> list[Measure]:
    leading = fact.leading
    noun = fact.noun[0].upper() + fact.noun[1:]  # `capitalize` would write "Api"
    return [
        of.per_time(f"{leading}_{unit.replace(' ', '_')}", leading, unit, f"{noun} {unit}.")
        for unit in _RATES
    ]
