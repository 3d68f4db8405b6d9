"""The loaders of one request: keys requested together are loaded together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from access.scopes import Scope
from analytics.answer import Answer
from analytics.run import Analytics
from analytics.slices import Slice
from analytics.state import OneState
from storage.admin import project_keys
from storage.connections.database import Database
from storage.dimensions import Dimension
from storage.facts.fact import Append
from storage.queries import first_events, members, names, running
from storage.queries.errors.counts import Counting
from storage.queries.errors.counts import of_errors as counts_of_errors
from storage.queries.errors.related import Related, related
from storage.queries.keyed import Key, Newest, newest
from storage.queries.provisioned import BY_NAME

KeyType = TypeVar("KeyType", bound=Hashable)

# A row as the driver returns it.
Row = Any
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
    """Loaders, named by what they return and by their key; a missing row is None.

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
        read = partial(_provisioned, dimension, column or dimension.column)
        return self._made("provisioned", (dimension, column), lambda: self._in_scope(read))

    def newest(self, wanted: Newest) -> DataLoader[Key, list[Row] | None]:
        return self._made("newest", wanted, lambda: self._in_scope(newest, wanted))

    def name_in_project(self, dimension: Dimension) -> DataLoader[Any, Any]:
        """By project id and name."""
        read = names.by_names
        return self._made("name", dimension, lambda: self._in_scope(read, dimension))

    def names_of_project(self, dimension: Dimension) -> DataLoader[int, list[Row]]:
        read = names.of_projects
        return self._made("names", dimension, lambda: self._in_scope(read, dimension))

    def name_seen(self, dimension: Dimension) -> DataLoader[Any, Any]:
        """By project id and the name's id."""
        return self._made("seen", dimension, lambda: self._in_scope(names.seen, dimension))

    def first_events_of_project(self) -> DataLoader[int, dict[str, datetime]]:
        """By project id; the times by the name of the fact."""
        return self._made("first", "", lambda: self._in_scope(first_events.of_projects))

    def live_key_of_project(self) -> DataLoader[int, Row | None]:
        """The newest project key that is not revoked, by project id."""
        return self._made("keys", "", lambda: self._in_scope(project_keys.live_of_projects))

    def members_of_project(self) -> DataLoader[int, list[Row]]:
        return self._made("members", "", lambda: self._in_scope(members.of_projects))

    def of_errors(self, kind: Related, first: int = 1_000) -> DataLoader[Any, list[Row]]:
        """The first rows of a kind by its key."""
        read = related
        return self._made("related", (kind, first), lambda: self._in_scope(read, kind, first))

    def error_counts(self, counting: Counting) -> DataLoader[Any, dict[int, int]]:
        """By project id and error id; occurrences by the number of the bucket."""
        read = counts_of_errors
        return self._made("error counts", counting, lambda: self._in_scope(read, counting))

    def running(self, fact: Append, dimension: Dimension, now: datetime) -> DataLoader[Any, Any]:
        """By project id and the name's id; None where nothing runs."""
        read = partial(running.counts, now=now)
        return self._made("running", dimension, lambda: self._in_scope(read, fact, dimension))

    def _made(
        self, name: str, subject: Hashable, make: Callable[[], DataLoader[Any, Any]]
    ) -> DataLoader[Any, Any]:
        """The loader of this name for a subject, such as a dimension."""
        loader = self._loaders.get((name, subject))
        if loader is None:
            loader = self._loaders[name, subject] = make()
        return loader

    def _in_scope(self, read: Read, *subjects: Any) -> DataLoader[Any, Any]:
        return Loader(partial(_in_order, partial(read, self._database, self._scope, *subjects)))


async def _provisioned(
    dimension: Dimension, column: str, database: Database, scope: Scope, values: Sequence[Any]
) -> Mapping[Any, Row]:
    return await BY_NAME[dimension].with_values(database, scope, column, values)


async def _answers(
    analytics: Analytics, state: OneState, answered: list[Answer], questions: list[Slice]
) -> Sequence[Answer | BaseException]:
    found = await analytics.run_each(questions, state)
    answered.extend(answer for answer in found if isinstance(answer, Answer))
    return found
