"""Loads a catalogue of templates or networks: creates its entries, or updates them."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from ingest.bulk import Progress, Target, opened
from ingest.importers.chains import Chain
from ingest.importers.importer import Imported, Options
from ingest.importers.records import Problem
from storage.connections.database import Connection
from storage.dimensions import Dictionaries, Dictionary, TemplateFields

Item = TypeVar("Item", TemplateFields, Chain)

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Catalogue(Generic[Item]):
    """Reads a catalogue's entries and provisions them; existing ones count as duplicates."""

    read: Callable[[Path], Iterable[Item | Problem]]
    dictionary: Dictionary
    upsert: Callable[[Connection, Item], Awaitable[int]]

    async def load(
        self, source: Path, target: Target, _options: Options, progress: Progress
    ) -> Imported:
        found = list(self.read(source))
        problems = tuple(item for item in found if isinstance(item, Problem))
        entries = [item for item in found if not isinstance(item, Problem)]
        slugs = {entry.slug for entry in entries}
        async with opened(target) as database:
            known = await Dictionaries(database).ids(self.dictionary, slugs)
            for start in range(0, len(entries), _BATCH):
                batch = entries[start : start + _BATCH]
                async with database.transaction() as connection:
                    for entry in batch:
                        await self.upsert(connection, entry)
                progress(start + len(batch), len(entries))
        accepted = len(slugs) - len(known)
        return Imported(accepted, len(entries) - accepted, problems)
