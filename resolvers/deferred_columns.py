"""Columns of a row that is still being read while the rest of a response is computed."""

from collections.abc import Awaitable, Callable, Generator
from operator import itemgetter
from typing import Any, Protocol


class RowLoader(Protocol):
    """Loads a row by its key."""

    def load(self, key: Any) -> Awaitable[Any]: ...


class DeferredColumn:
    """An awaitable column: fields that need only the row's key do not wait for it."""

    __slots__ = ("_key", "_loader", "_read")

    def __init__(self, loader: RowLoader, key: str, read: Callable[[Any], Any]) -> None:
        self._loader, self._key, self._read = loader, key, read

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._read((yield from self._loader.load(self._key).__await__()))


def deferred(loader: RowLoader, key: str, column: str) -> Any:
    """Returns a column that is awaited when its field is resolved; typed as its value."""
    return DeferredColumn(loader, key, itemgetter(column))
