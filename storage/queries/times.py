"""Times of long lists: Postgres writes them as answers tell them, and most are only told.

The driver takes longer to make one time than to make all other columns of a row.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Text, func, literal_column

# As orjson writes a time in UTC, but for the fraction of whole seconds. Constants of the text,
# so that no statement is sent them.
_UTC: ColumnElement[str] = literal_column("'UTC'")
_FORMAT: ColumnElement[str] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")
_WHOLE: ColumnElement[str] = literal_column("'.000000Z'")
_END: ColumnElement[str] = literal_column("'Z'")


def as_text(columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """These columns, those that are times as text."""
    return [
        _written(column).label(column.key) if isinstance(column.type, DateTime) else column
        for column in columns
    ]


def _written(time: ColumnElement[datetime]) -> ColumnElement[str]:
    text = func.to_char(func.timezone(_UTC, time), _FORMAT)
    return func.replace(text, _WHOLE, _END, type_=Text)


def parse_time(text: str) -> datetime:
    """The time again."""
    return datetime.fromisoformat(text)
