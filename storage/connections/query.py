"""Statements that are compiled to SQL text once, and parts they are built from."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
from sqlalchemy import ARRAY, BindParameter, ColumnElement, bindparam, column, func
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.sql.expression import Executable
from sqlalchemy.types import TypeEngine

# Runs a query with its parameters by name: `Database.fetch` or `Snapshot.fetch`.
Fetch = Callable[..., Awaitable[list[asyncpg.Record]]]


class SqlQuery:
    """A Core statement compiled once: SQL text and the order of its parameters."""

    __slots__ = ("_defaults", "_order", "name", "text")

    def __init__(self, name: str, statement: Executable) -> None:
        compiled: Any = statement.compile(dialect=asyncpg_dialect.dialect())  # type: ignore[attr-defined,no-untyped-call]
        if compiled.post_compile_params:
            raise TypeError(f"{name}: an expanding IN has no fixed text; use any_of()")
        self.name = name
        self.text: str = compiled.string
        self._order: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._defaults: dict[str, Any] = {
            name: bind.effective_value
            for name, bind in compiled.binds.items()
            if name in self._order and not bind.required
        }

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The parameters in the order of the text; TypeError if one is missing or unknown."""
        values = {**self._defaults, **parameters}
        if len(values) == len(self._order):
            with suppress(KeyError):
                return [values[name] for name in self._order]
        expected = sorted(set(self._order) - self._defaults.keys())
        raise TypeError(f"{self.name} takes {expected}, was given {sorted(parameters)}")


class UnionQuery(SqlQuery):
    """Several queries with the same columns as one; `part` is the number of a row's query.

    Each query takes its parameters under its own number.
    """

    __slots__ = ("_queries",)

    def __init__(self, name: str, queries: Sequence[SqlQuery]) -> None:
        self.name, self._queries = name, tuple(queries)
        parts, used = [], 0
        for number, query in enumerate(queries):
            text = _renumbered(query.text, used)
            parts.append(f"select {number} as part, part{number}.* from ({text}) as part{number}")
            used += len(query._order)
        self.text = "\nunion all\n".join(parts)

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        return [
            argument
            for number, query in enumerate(self._queries)
            for argument in query.arguments(parameters[str(number)])
        ]


_PARAMETER = re.compile(r"\$(\d+)")


def _renumbered(text: str, by: int) -> str:
    """The SQL with all parameter numbers raised."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", text)


def any_of(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """The condition that `column` is one of the values of a list parameter."""
    values: BindParameter[Any] = bindparam(parameter, type_=ARRAY(column.type))
    return column == func.any(values)


def unnested(
    columns: Mapping[str, tuple[str, type[TypeEngine[Any]] | TypeEngine[Any]]],
    *,
    position: str | None = None,
) -> Any:
    """A row set built from list parameters: by column name, the parameter and the column's type.

    ``position`` names one more column, which numbers the rows from 1.
    """
    lists: list[BindParameter[Any]] = [
        bindparam(parameter, type_=ARRAY(kind), required=True)
        for parameter, kind in columns.values()
    ]
    typed = [column(key, kind) for key, (_, kind) in columns.items()]
    return func.unnest(*lists).table_valued(*typed, with_ordinality=position).render_derived()


def columns_of(rows: Iterable[Iterable[Any]], width: int = 0) -> list[list[Any]]:
    """Turn rows into lists, one for each column; without rows there are ``width`` empty lists."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
