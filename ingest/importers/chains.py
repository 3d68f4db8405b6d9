"""Public chains as networks, from the list that wallets use."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.fields import clean_text
from ingest.importers.files import json_rows, locate, read_rows
from ingest.importers.records import BadRow, Problem, Row, required, slug_of
from storage.connections.database import Connection
from storage.dimensions import upsert_network

FILE = "networks/chains.jsonl"

# The list's own short names are wallet prefixes such as "oeth"; these are what people write.
NAMES = {
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


@dataclass(frozen=True, slots=True)
class Chain:
    """A network to provision."""

    slug: str
    title: str
    chain_id: int


def read(source: Path) -> Iterator[Chain | Problem]:
    """Yields a chain for each line."""
    return read_rows(json_rows(locate(source, FILE)), _chains)


def _chains(row: Row) -> list[Chain]:
    chain_id, short_name = row.values.get("chainId"), row.values.get("shortName")
    if type(chain_id) is not int or not 0 < chain_id <= _LARGEST_CHAIN_ID:
        raise BadRow("chainId is not a positive 64-bit integer")
    slug = NAMES.get(chain_id) or slug_of(str(short_name or "").lower(), "shortName")
    return [Chain(slug, clean_text(required(row.values.get("name"), "name")), chain_id)]


async def upsert_chain(connection: Connection, chain: Chain) -> int:
    return await upsert_network(connection, chain.slug, chain.title, chain.chain_id)
