"""Times as text: Postgres formats them as answers show them, and most are only shown.

The driver takes longer to decode one time than all other columns of a row.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Text, func, literal_column

# The format of orjson for a time in UTC, which has no fraction for whole seconds. Literals, so
# that they are not sent as parameters.
_UTC: ColumnElement[str] = literal_column("'UTC'")
_FORMAT: ColumnElement[str] = literal_column("""'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""")
_WHOLE: ColumnElement[str] = literal_column("'.000000Z'")
_END: ColumnElement[str] = literal_column("'Z'")


def as_text(columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """The columns, with times converted to text."""
    return [
        _written(column).label(column.key) if isinstance(column.type, DateTime) else column
        for column in columns
    ]


def _written(time: ColumnElement[datetime]) -> ColumnElement[str]:
    text = func.to_char(func.timezone(_UTC, time), _FORMAT)
    return func.replace(text, _WHOLE, _END, type_=Text)


def parse_time(text: str) -> datetime:
    """The time of a text made by `as_text`."""
    return datetime.fromisoformat(text)
