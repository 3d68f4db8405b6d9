"""Loading a catalogue, of templates or of networks: entries are made, or brought up to date."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from ingest.bulk import Target, opened
from ingest.importers.chains import Chain
from ingest.importers.importer import Imported, Options, Progress
from ingest.importers.records import Problem
from storage.connections.database import Connection
from storage.dimensions import (
    Dictionaries,
    Dictionary,
    TemplateFields,
    upsert_network,
    upsert_template,
)

Item = TypeVar("Item", TemplateFields, Chain)

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Catalogue(Generic[Item]):
    """Reads a catalogue's entries and provisions each; those that are there count as known."""

    read: Callable[[Path], Iterable[Item | Problem]]
    dimension: Dictionary
    name_of: Callable[[Item], str]
    upsert: Callable[[Connection, Item], Awaitable[int]]

    async def load(
        self, source: Path, target: Target, _options: Options, progress: Progress
    ) -> Imported:
        found = list(self.read(source))
        problems = tuple(each for each in found if isinstance(each, Problem))
        entries = [each for each in found if not isinstance(each, Problem)]
        names = {self.name_of(entry) for entry in entries}
        async with opened(target) as database:
            known = await Dictionaries(database).ids(self.dimension, names)
            for start in range(0, len(entries), _BATCH):
                batch = entries[start : start + _BATCH]
                async with database.transaction() as connection:
                    for entry in batch:
                        await self.upsert(connection, entry)
                progress(start + len(batch), len(entries))
        accepted = len(names) - len(known)
        return Imported(accepted, len(entries) - accepted, problems)


def template_slug(template: TemplateFields) -> str:
    return template.slug


def network_name(network: Chain) -> str:
    return network.name


async def provision_template(connection: Connection, template: TemplateFields) -> int:
    return await upsert_template(connection, template)


async def provision_network(connection: Connection, network: Chain) -> int:
    return await upsert_network(connection, network.name, network.title, network.chain_id)
