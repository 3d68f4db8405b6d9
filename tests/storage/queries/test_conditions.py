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
from storage.queries.conditions import Condition, Filter, Operator, clause, parameters, shape

Row = tuple[int, str | None, str | None, int | None]

TEXTS: list[str | None] = [None, "", "a", "A", "ab", "%", "a_b", "\\", "ä"]
NUMBERS: list[int | None] = [None, -1, 0, 1, 2]
ROWS: list[Row] = [
    (index, text, TEXTS[(index * 7) % len(TEXTS)], number)
    for index, (text, number) in enumerate((text, number) for text in TEXTS for number in NUMBERS)
]
COLUMNS = {"word": 1, "other": 2, "number": 3}
TABLE = values(
    column("id", Integer),
    column("word", Text),
    column("other", Text),
    column("number", Integer),
    name="rows",
).data(ROWS)


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


words = st.sampled_from([text for text in TEXTS if text is not None])
numbers = st.sampled_from([number for number in NUMBERS if number is not None])
texts = st.sampled_from([("word",), ("word", "other")])
number = st.just(("number",))
conditions = st.one_of(
    st.builds(Condition, texts, st.sampled_from([Operator.EQ, Operator.CONTAINS]), words),
    st.builds(Condition, texts, st.just(Operator.IN), st.lists(words, max_size=3).map(tuple)),
    st.builds(Condition, number, st.sampled_from([Operator.GTE, Operator.LT]), numbers),
)
filters: st.SearchStrategy[Filter] = st.lists(conditions, max_size=4).map(tuple)


def holds(filter: Filter, row: Row) -> bool:
    return all(
        any(
            (have := row[COLUMNS[name]]) is not None and COMPARE[operator](have, value)
            for name in names
        )
        for names, operator, value in filter
    )


COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: lambda have, value: bool(have == value),
    Operator.IN: lambda have, value: have in value,
    Operator.CONTAINS: lambda have, value: value.lower() in have.lower(),
    Operator.GTE: lambda have, value: bool(have >= value),
    Operator.LT: lambda have, value: bool(have < value),
}


@given(filter=filters)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
async def test_sql_agrees_with_python(database: Database, filter: Filter) -> None:
    statement = select(TABLE.c.id).where(clause(shape(filter), TABLE.c)).order_by(TABLE.c.id)
    rows = await database.fetch(SqlQuery("conditions", statement), **parameters(filter))
    assert [row["id"] for row in rows] == [row[0] for row in ROWS if holds(filter, row)]


@given(filters)
def test_equal_shapes_serve_other_values(filter: Filter) -> None:
    hash(shape(filter))
    text = str(clause(shape(filter), TABLE.c))
    assert all(f":{name}" in text for name in parameters(filter))
