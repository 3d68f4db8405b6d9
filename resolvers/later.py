"""What is still being read while the rest of an answer is computed."""

from collections.abc import Awaitable, Callable, Generator
from operator import itemgetter
from typing import Any, Protocol


class Rows(Protocol):
    """A loader of rows."""

    def load(self, key: Any) -> Awaitable[Any]: ...


class Later:
    """A value of a row. Its field awaits it, beside the fields that need no more than the key."""

    __slots__ = ("_key", "_read", "_rows")

    def __init__(self, rows: Rows, key: str, read: Callable[[Any], Any]) -> None:
        self._rows, self._key, self._read = rows, key, read

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._read((yield from self._rows.load(self._key).__await__()))


def later(rows: Rows, key: str, column: str) -> Any:
    """A column as it is; typed as what it will be."""
    return Later(rows, key, itemgetter(column))
