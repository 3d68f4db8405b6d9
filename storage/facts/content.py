"""The content of a fact: what its events give that is stored beside the rows, not in them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column

from storage.connections.database import Connection
from storage.facts.fact import Floors

# What changed beside rows, for the change feed: a project and an id.
Key = tuple[int, UUID]


@dataclass(frozen=True, slots=True)
class Recording:
    """The transaction in which new rows were inserted."""

    connection: Connection
    floors: Floors
    now: datetime
    log_texts_per_day: int


class NewRow(NamedTuple):
    """A row that was inserted in this transaction, and the content that was prepared for it."""

    project_id: int
    occurred_at: datetime
    event_id: UUID
    series_id: int
    values: tuple[Any, ...]  # of the fact's columns
    content: Any


class MovedRow(NamedTuple):
    """A row by column as it was, and the series that it was moved to."""

    row: Mapping[str, Any]
    series_id: int


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Columns of a table that may name a person: texts or JSON, and the words to find them by."""

    columns: tuple[Column[Any], ...]
    search: Column[Any]


@dataclass(frozen=True, slots=True)
class ContentStore:
    """The functions that store the content of a fact's rows, in the transaction of the rows.

    `record` stores the content of new rows, and returns the keys for the change feed. A person is
    erased from `texts`. `move` is needed where what is stored has the series of rows.
    """

    record: Callable[[Recording, Sequence[NewRow]], Awaitable[set[Key]]]
    texts: Texts
    move: Callable[[Connection, Sequence[MovedRow]], Awaitable[None]] | None = None
