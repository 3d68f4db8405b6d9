"""Catalogues of templates and networks: their entries are created, or updated."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from ingest.bulk import Progress, Target, opened
from ingest.importers.files import BadRow, Part, Row, slug_of
from ingest.importers.importer import Imported, Importer, Options
from storage.connections.database import Connection
from storage.dictionaries import Dictionaries, TemplateFields, upsert_network, upsert_template
from storage.dimensions import NETWORK, TEMPLATE, Dimension
from storage.names import clean_text

# The list's own short names are wallet prefixes such as "oeth"; these are what people write.
_CHAIN_NAMES = {
    1: "ethereum",
    10: "optimism",
    56: "bsc",
    100: "gnosis",
    137: "polygon",
    1088: "metis",
    42161: "arbitrum",
    59902: "metis-sepolia",
}
_LARGEST_CHAIN_ID = 2**63 - 1
_BATCH = 100


class Chain(NamedTuple):
    """A network to provision."""

    slug: str
    title: str
    chain_id: int


Entry = TypeVar("Entry", TemplateFields, Chain)


@dataclass(frozen=True, slots=True)
class Catalogue(Importer[Entry]):
    """Provisions a catalogue's entries; existing ones count as duplicates."""

    dimension: Dimension
    upsert: Callable[[Connection, Entry], Awaitable[int]]

    async def load(
        self, items: Sequence[Entry], target: Target, _options: Options, progress: Progress
    ) -> Imported:
        slugs = {entry.slug for entry in items}
        async with opened(target) as database:
            known = await Dictionaries(database).ids(self.dimension, slugs)
            for start in range(0, len(items), _BATCH):
                batch = items[start : start + _BATCH]
                async with database.transaction() as connection:
                    for entry in batch:
                        await self.upsert(connection, entry)
                progress(start + len(batch), len(items))
        accepted = len(slugs) - len(known)
        return Imported(accepted, len(items) - accepted)


def _templates(row: Row) -> list[TemplateFields]:
    """The template of a line; its id is the slug, unchanged."""
    slug = row.slug("id")
    description, tags = row.values.get("description") or None, row.values.get("tags") or []
    if description is not None and not isinstance(description, str):
        raise BadRow("description is not a text")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise BadRow("tags are not a list of texts")
    template = TemplateFields(
        slug,
        clean_text(row.text("name")),
        description and clean_text(description),
        tags=tuple(clean_text(tag) for tag in tags),
    )
    return [template]


def _chains(row: Row) -> list[Chain]:
    chain_id, short_name = row.values.get("chainId"), row.values.get("shortName")
    if type(chain_id) is not int or not 0 < chain_id <= _LARGEST_CHAIN_ID:
        raise BadRow("chainId is not a positive 64-bit integer")
    slug = _CHAIN_NAMES.get(chain_id) or slug_of(str(short_name or "").lower(), "shortName")
    return [Chain(slug, clean_text(row.text("name")), chain_id)]


async def _upsert_chain(connection: Connection, chain: Chain) -> int:
    return await upsert_network(connection, *chain)


TEMPLATES = Catalogue(
    "templates",
    "the template catalogue of Dokploy",
    lambda: [Part("templates/dokploy-templates.jsonl", _templates)],
    TEMPLATE,
    upsert_template,
)
NETWORKS = Catalogue(
    "networks",
    "public chains, Metis among them",
    lambda: [Part("networks/chains.jsonl", _chains)],
    NETWORK,
    _upsert_chain,
)
