"""How the events of a fact with content are prepared, before they wait to be written."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from ingest.events import Event
from ingest.scrubbing import Rules

_log = logging.getLogger(__name__)

# Requests take turns of so many events, so that small ones need not wait for large ones.
_EVENTS_PER_TURN = 5

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Project(NamedTuple):
    """A project's id, and what it calls secret."""

    id: int
    rules: Rules


@dataclass(frozen=True, slots=True)
class Preparation:
    """The preparation of one request's events; `projects` are by slug."""

    turn: asyncio.Lock
    projects: Mapping[str, Project]
    failed: set[int] = field(default_factory=set)

    async def each(
        self, work: Callable[[_Item], _Result], items: Mapping[int, _Item]
    ) -> dict[int, _Result]:
        """The results of work on each of the items; those it fails for are left out and noted."""
        results: dict[int, _Result] = {}
        todo = list(items.items())
        for start in range(0, len(todo), _EVENTS_PER_TURN):
            async with self.turn:
                for index, item in todo[start : start + _EVENTS_PER_TURN]:
                    try:
                        results[index] = work(item)
                    except Exception:  # noqa: BLE001 - one event costs none beside it
                        _log.exception("an event could not be prepared")
                        self.failed.add(index)
                await asyncio.sleep(0)
        return results


class Preparer(ABC):
    """Prepares the events of a fact with content; a process has one."""

    def brought_by(self, event: Event) -> Event | None:  # noqa: ARG002 - most facts have none
        """The event of this fact that an event of another fact brings with it, if any."""
        return None

    @abstractmethod
    async def prepare(
        self, events: Mapping[int, Event], preparation: Preparation
    ) -> Mapping[int, Event]:
        """The events by the same index, with what is to be stored as their content.

        Nothing in them may be a secret: neither names and values nor the content.
        """
