"""The measures by the names they have in rules, such as ``deployments.failure_rate``."""

from __future__ import annotations

from difflib import get_close_matches

from analytics.measures import MEASURES, Measure, MeasureKind, Unit
from storage.facts import FACTS
from storage.names import MAX_NAME_LENGTH


def measure_name(measure: Measure) -> str:
    """Returns the name of a measure in rules: the table of its fact, and its own name."""
    return f"{FACTS[measure.fact].table.name}.{measure.name}"


_BY_NAME = {measure_name(measure): measure for measure in MEASURES.values()}


def measure_called(name: str) -> Measure | None:
    """Returns the measure with this name in rules, or None."""
    return _BY_NAME.get(name)


def similar_name(name: str) -> str | None:
    """Returns the most similar name of a measure, or None if none is similar."""
    return next(iter(get_close_matches(name[:MAX_NAME_LENGTH], _BY_NAME, n=1)), None)


def is_rate(measure: Measure) -> bool:
    """Whether a measure is a fraction of trials that happened."""
    return measure.unit is Unit.FRACTION and measure.kind is MeasureKind.FORMULA
