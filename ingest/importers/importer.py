"""An importer, its options and its result."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from ingest.bulk import BATCH_EVENTS, Progress, Target
from ingest.importers.files import Part, Problem
from ingest.importers.totals import Totals

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Options:
    """How to import."""

    shift_to_now: bool = False
    batch_events: int = BATCH_EVENTS


@dataclass(frozen=True, slots=True)
class Imported:
    """The result: counts of new and of known events or entries, and what was left out.

    `too_old` counts events left out because rows of their fact are not kept so long.
    """

    accepted: int
    duplicates: int
    problems: tuple[Problem, ...] = ()
    too_old: int = 0
    moved_days: int = 0
    totals: tuple[Totals, ...] = ()


@dataclass(frozen=True, slots=True)
class Importer(ABC, Generic[Item]):
    """A data set that can be imported; its parts are made anew for each run, in their order."""

    name: str
    description: str
    parts: Callable[[], Sequence[Part[Item]]]

    def read(self, source: Path) -> Iterator[Item | Problem]:
        """Yields what a folder or file holds, without storing it."""
        for part in self.parts():
            yield from part.read(source)

    async def run(
        self,
        source: Path,
        target: Target,
        options: Options | None = None,
        progress: Progress = lambda *_: None,
    ) -> Imported:
        """Imports from a folder or file. Safe to interrupt and to repeat."""
        found = list(self.read(source))
        items = [item for item in found if not isinstance(item, Problem)]
        imported = await self.load(items, target, options or Options(), progress)
        unread = tuple(item for item in found if isinstance(item, Problem))
        return replace(imported, problems=unread + imported.problems)

    @abstractmethod
    async def load(
        self, items: Sequence[Item], target: Target, options: Options, progress: Progress
    ) -> Imported:
        """Stores what was read from the files."""
