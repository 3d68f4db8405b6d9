"""An importer, its options and its result."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from ingest.bulk import BATCH_EVENTS, Progress, Target
from ingest.importers.records import Problem
from ingest.importers.totals import Totals


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
    """The result: counts of new and of known events or entries, and the rows left out."""

    accepted: int
    duplicates: int
    problems: tuple[Problem, ...]
    moved_days: int = 0
    totals: Totals | None = None


@dataclass(frozen=True, slots=True)
class Importer:
    """A data set that can be imported."""

    name: str
    description: str
    files: tuple[str, ...]
    load: Callable[[Path, Target, Options, Progress], Awaitable[Imported]]

    async def run(
        self,
        source: Path,
        target: Target,
        options: Options | None = None,
        progress: Progress = lambda *_: None,
    ) -> Imported:
        """Imports from a folder or file. Safe to interrupt and to repeat."""
        return await self.load(source, target, options or Options(), progress)
