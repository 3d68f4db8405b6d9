"""Calls of language models: a row for each answer."""

from sqlalchemy import Boolean, Column, Integer, func

from storage.dimensions import ENVIRONMENT, MODEL, TASK
from storage.facts.fact import Cell, Clock, Component, Histogram
from storage.facts.parts import append, flagged

_DIMENSIONS = (MODEL, TASK, ENVIRONMENT)
_input_tokens, _output_tokens = Column("input_tokens", Integer), Column("output_tokens", Integer)
_accepted = Column("accepted", Boolean)  # null if nobody decided


def _tokens(column: Column[int]) -> Component:
    value = func.coalesce(column, 0)
    return Component(column.name, Clock.OCCURRED, value, large=True)


MODEL_CALLS = append(
    "model_call",
    stem="Model",
    noun="model calls",
    leading="calls",
    dimensions=_DIMENSIONS,
    columns=(_input_tokens, _output_tokens, _accepted),
    components=(
        flagged("decided", _accepted.is_not(None)),
        flagged("accepted", _accepted),
        _tokens(_input_tokens),
        _tokens(_output_tokens),
    ),
    cells=(
        Cell(1, "model", (MODEL,), of_platform=False),
        Cell(2, "finest", _DIMENSIONS, of_platform=False),
    ),
    # From a millisecond to 17 minutes: 20 doublings.
    histogram=Histogram(base_us=1_000),
)
