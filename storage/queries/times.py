"""Times of long lists: told by Postgres as JSON has them, and read where they are asked for.

The driver takes longer to make one time than to make all other columns of a row.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Text, cast, func


def told(columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """These columns, those that are times as text, which no setting of a server changes."""
    return [
        cast(func.to_json(column), Text).label(column.key)
        if isinstance(column.type, DateTime)
        else column
        for column in columns
    ]


def read(text: str | None) -> datetime | None:
    """The time; the text is in quotes."""
    return None if text is None else datetime.fromisoformat(text[1:-1])


def read_known(text: str) -> datetime:
    """A time that is never null."""
    return datetime.fromisoformat(text[1:-1])
