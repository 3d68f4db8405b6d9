"""Prepares what events give beside their rows, and removes secrets from all of it."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import product

from ingest.errors.preparation import ErrorOccurrences
from ingest.errors.told_texts import has_texts, without_secrets
from ingest.events import Event
from ingest.logs.preparation import LogLines
from ingest.normaliser import TimeWindow
from ingest.preparation import Preparation, Preparer, Project
from ingest.project_rules import ProjectRules
from storage.connections.database import Database
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Fact
from storage.facts.log_lines import LOG_LINES

# What makes the preparer of each fact with content.
PREPARERS: Mapping[Fact, Callable[[Database], Preparer]] = {
    ERROR_OCCURRENCES: ErrorOccurrences,
    LOG_LINES: LogLines,
}


class Contents:
    """Prepares the events of requests."""

    def __init__(self, database: Database, unrecorded: Collection[Fact] = ()) -> None:
        self._preparers = {
            fact: make(database) for fact, make in PREPARERS.items() if fact not in unrecorded
        }
        self._rules = ProjectRules(database)
        self._turn = asyncio.Lock()

    async def prepare(
        self, events: Mapping[int, Event], project_ids: Mapping[str, int], window: TimeWindow
    ) -> tuple[dict[int, Event], set[int]]:
        """The events that are changed, by their index, and those that others bring with them.

        The latter have indexes below zero. Second come the indexes of events that could not be
        prepared, whatever is in them.
        """
        given: dict[Fact, dict[int, Event]] = {fact: {} for fact in self._preparers}
        others: dict[int, Event] = {}
        for index, event in events.items():
            given.get(event.fact, others)[index] = event
        for number, event in enumerate(self._brought_by(others.values(), window), start=1):
            given[event.fact][-number] = event
        told = {index: event for index, event in others.items() if has_texts(event)}
        preparation = Preparation(self._turn, await self._projects(given, project_ids))
        prepared = await preparation.each(without_secrets, told)
        for fact, of_fact in given.items():
            if of_fact:
                prepared |= await self._preparers[fact].prepare(of_fact, preparation)
        return prepared, preparation.failed

    def _brought_by(self, events: Iterable[Event], window: TimeWindow) -> Iterator[Event]:
        """The events that events of other facts bring with them, unless they are too old."""
        for event, (fact, preparer) in product(events, self._preparers.items()):
            if (found := preparer.brought_by(event)) is not None:
                oldest = window.oldest_of(fact)
                if oldest is None or found.occurred_at >= oldest:
                    yield found

    async def _projects(
        self, given: Mapping[Fact, Mapping[int, Event]], project_ids: Mapping[str, int]
    ) -> dict[str, Project]:
        slugs = {event.project for events in given.values() for event in events.values()}
        ids = {slug: project_ids[slug] for slug in slugs}
        rules = await self._rules.of(ids) if ids else {}
        return {slug: Project(id, rules[slug]) for slug, id in ids.items()}
