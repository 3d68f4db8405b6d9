"""The loaders of one request: keys requested together are loaded together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from access.scopes import Scope
from analytics.answer import Answer
from analytics.run import Analytics
from analytics.slices import Slice
from analytics.state import OneState
from storage.connections.database import Database
from storage.dimensions import Dimension
from storage.queries.errors.counts import Counting
from storage.queries.errors.counts import of_errors as counts_of_errors
from storage.queries.errors.related import Related, related
from storage.queries.keyed import Key, Newest, newest
from storage.queries.names import by_names
from storage.queries.provisioned import BY_NAME

KeyType = TypeVar("KeyType", bound=Hashable)

# A row as the driver returns it.
Row = Any
# Reads the rows of keys, with what it takes before them.
Read = Callable[..., Awaitable[Mapping[Any, Any]]]


class Loader(DataLoader[KeyType, Any]):
    """A loader whose keys are still loaded for other callers if one caller is cancelled.

    A field is cancelled when a sibling fails, but several fields may wait for one key.
    """

    def load(self, key: KeyType) -> Awaitable[Any]:
        future = super().load(key)
        assert isinstance(future, asyncio.Future)
        if future.done():
            return future
        future.add_done_callback(_retrieve_exception)  # a cancelled shield does not read it
        return asyncio.shield(future)

    def expect(self, key: KeyType) -> None:
        """Queues the key now; a later `load` raises its failure."""
        future = super().load(key)
        assert isinstance(future, asyncio.Future)
        future.add_done_callback(_retrieve_exception)


def _retrieve_exception(done: asyncio.Future[Any]) -> None:
    """Keeps asyncio from logging the failure of a key that no caller awaits any more."""
    if not done.cancelled():
        done.exception()


async def _in_order(
    read: Callable[[Sequence[KeyType]], Awaitable[Mapping[KeyType, Row]]], keys: list[KeyType]
) -> list[Row | None]:
    found = await read(keys)
    return [found.get(key) for key in keys]


class Loaders:
    """Loaders by the query that they put their keys to; a missing row is None.

    Each is made on first use, because a request needs few of them.
    """

    def __init__(
        self, database: Database, analytics: Analytics, scope: Scope, *, optimistic: bool = False
    ) -> None:
        self._database, self._analytics, self._scope = database, analytics, scope
        # All aggregates are read from one state of the data.
        self.state = analytics.state(optimistic=optimistic)
        # The answers so far, whose ages go into the response's headers.
        self.answered: list[Answer] = []
        self._loaders: dict[Any, DataLoader[Any, Any]] = {}

    @cached_property
    def answers(self) -> Loader[Slice]:
        return Loader(partial(_answers, self._analytics, self.state, self.answered))

    def take_new_state(self) -> None:
        """Starts a new state for the next aggregates; other rows stay loaded."""
        self.state.release()
        self.state = self._analytics.state()
        self.answered.clear()
        self.__dict__.pop("answers", None)

    def provisioned(self, dimension: Dimension, column: str = "") -> DataLoader[Any, Any]:
        """Projects, networks or templates by their id, or by another unique column."""
        return self.of(_provisioned, dimension, column or dimension.column)

    def newest(self, wanted: Newest) -> DataLoader[Key, list[Row] | None]:
        return self.of(newest, wanted)

    def name_in_project(self, dimension: Dimension) -> DataLoader[Any, Any]:
        """By project id and name."""
        return self.of(by_names, dimension)

    def of_errors(self, kind: Related, first: int = 1_000) -> DataLoader[Any, list[Row]]:
        """The first rows of a kind by its key."""
        return self.of(related, kind, first)

    def error_counts(self, counting: Counting) -> DataLoader[Any, dict[int, int]]:
        """By project id and error id; occurrences by the number of the bucket."""
        return self.of(counts_of_errors, counting)

    def of(self, read: Read, *subjects: Hashable) -> DataLoader[Any, Any]:
        """The loader of what `read` finds: it takes the scope, these subjects, and the keys."""
        loader = self._loaders.get((read, *subjects))
        if loader is None:
            found = partial(read, self._database, self._scope, *subjects)
            loader = self._loaders[read, *subjects] = Loader(partial(_in_order, found))
        return loader


async def _provisioned(
    database: Database, scope: Scope, dimension: Dimension, column: str, values: Sequence[Any]
) -> Mapping[Any, Row]:
    return await BY_NAME[dimension].with_values(database, scope, column, values)


async def _answers(
    analytics: Analytics, state: OneState, answered: list[Answer], questions: list[Slice]
) -> Sequence[Answer | BaseException]:
    found = await analytics.run_each(questions, state)
    answered.extend(answer for answer in found if isinstance(answer, Answer))
    return found
