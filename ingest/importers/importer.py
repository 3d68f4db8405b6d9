"""What all importers have in common: what they are given, and what they tell."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from ingest.bulk import BATCH_EVENTS, Target, nothing_to_tell
from ingest.importers.records import Problem
from ingest.importers.totals import Totals

# Called with how many are done, of how many.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How to import; no projects means all of them."""

    shift_to_now: bool = False
    projects: frozenset[str] = frozenset()
    batch_events: int = BATCH_EVENTS

    def wants(self, project: str) -> bool:
        return not self.projects or project in self.projects


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a set: events or entries that were new, known already, or left out."""

    accepted: int
    duplicates: int
    problems: tuple[Problem, ...]
    moved_days: int = 0
    totals: Totals | None = None


@dataclass(frozen=True, slots=True)
class Importer:
    """A set that can be imported."""

    name: str
    description: str
    files: tuple[str, ...]
    load: Callable[[Path, Target, Options, Progress], Awaitable[Imported]]

    async def run(
        self,
        source: Path,
        target: Target,
        options: Options | None = None,
        progress: Progress = nothing_to_tell,
    ) -> Imported:
        """Import from a folder or file. Safe to interrupt and to repeat."""
        return await self.load(source, target, options or Options(), progress)
