"""An importer, its options and its result."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from ingest.bulk import BATCH_EVENTS, Progress, Target
from ingest.importers.files import Problem
from ingest.importers.totals import Totals

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Options:
    """How to import; without projects, all are imported."""

    shift_to_now: bool = False
    projects: frozenset[str] = frozenset()
    batch_events: int = BATCH_EVENTS

    def wants(self, project: str) -> bool:
        return not self.projects or project in self.projects


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
    """A data set that can be imported, and how its files are read."""

    name: str
    description: str
    files: tuple[str, ...]
    read: Callable[[Path], Iterable[Item | Problem]]

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
