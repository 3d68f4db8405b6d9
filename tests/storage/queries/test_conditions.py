"""Conditions: the SQL of a filter agrees with the same filter in Python."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import column, select, values
from sqlalchemy.types import Integer, Text

from storage.connections.database import Database
from storage.connections.query import SqlQuery
from storage.queries.conditions import (
    All,
    Condition,
    Either,
    Filter,
    Not,
    Operator,
    clause,
    parameters,
    shape,
)

Row = tuple[int, str | None, int | None]

TEXTS: list[str | None] = [None, "", "a", "A", "ab", "%", "a_b", "\\", "ä"]
NUMBERS: list[int | None] = [None, -1, 0, 1, 2]
ROWS: list[Row] = [
    (index, text, number)
    for index, (text, number) in enumerate((text, number) for text in TEXTS for number in NUMBERS)
]
TABLE = values(
    column("id", Integer), column("word", Text), column("number", Integer), name="rows"
).data(ROWS)


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


words = st.sampled_from([text for text in TEXTS if text is not None])
numbers = st.sampled_from([number for number in NUMBERS if number is not None])
conditions = st.one_of(
    st.builds(Condition, st.just("word"), st.sampled_from([Operator.EQ, Operator.CONTAINS]), words),
    st.builds(
        Condition,
        st.just("word"),
        st.sampled_from([Operator.IN, Operator.NOT_IN]),
        st.lists(words, max_size=3).map(tuple),
    ),
    st.builds(
        Condition,
        st.just("number"),
        st.sampled_from([Operator.EQ, Operator.GT, Operator.GTE, Operator.LT, Operator.LTE]),
        numbers,
    ),
    st.builds(
        Condition,
        st.sampled_from(["word", "number"]),
        st.just(Operator.IS_NULL),
        st.booleans(),
    ),
)
filters: st.SearchStrategy[Filter] = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Either(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)


def holds(filter: Filter, row: Row) -> bool:
    """Two-valued on purpose: what compares with a missing value does not hold."""
    match filter:
        case All(parts):
            return all(holds(part, row) for part in parts)
        case Either(parts):
            return any(holds(part, row) for part in parts)
        case Not(part):
            return not holds(part, row)
        case Condition(name, operator, value):
            return _compare(row[{"word": 1, "number": 2}[name]], operator, value)


COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: lambda have, value: bool(have == value),
    Operator.IN: lambda have, value: have in value,
    Operator.CONTAINS: lambda have, value: value.lower() in have.lower(),
    Operator.GT: lambda have, value: bool(have > value),
    Operator.GTE: lambda have, value: bool(have >= value),
    Operator.LT: lambda have, value: bool(have < value),
    Operator.LTE: lambda have, value: bool(have <= value),
}


def _compare(have: Any, operator: Operator, value: Any) -> bool:
    if operator is Operator.IS_NULL:
        return (have is None) is value
    if operator is Operator.NOT_IN:
        return have not in value
    return have is not None and COMPARE[operator](have, value)


@given(filter=filters)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
async def test_sql_agrees_with_python(database: Database, filter: Filter) -> None:
    statement = select(TABLE.c.id).where(clause(shape(filter), TABLE.c)).order_by(TABLE.c.id)
    rows = await database.fetch(SqlQuery("conditions", statement), **parameters(filter))
    assert [row["id"] for row in rows] == [row[0] for row in ROWS if holds(filter, row)]


@given(filters)
def test_equal_shapes_serve_other_values(filter: Filter) -> None:
    assert shape(filter) == shape(filter)
    hash(shape(filter))
    text = str(clause(shape(filter), TABLE.c))
    assert all(f":{name}" in text or f"{name}" in text for name in parameters(filter))
