"""Public chains as networks, from the list wallets use."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.fields import clean_text
from ingest.importers.files import json_rows, locate
from ingest.importers.records import BadRow, Problem, required
from ingest.importers.slugs import slug_of

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
    """A network as it is to be provisioned."""

    name: str
    title: str
    chain_id: int


def read(source: Path) -> Iterator[Chain | Problem]:
    """One network for each line."""
    for row in json_rows(locate(source, FILE)):
        if isinstance(row, Problem):
            yield row
            continue
        try:
            yield _network(row.values)
        except BadRow as bad:
            yield Problem(row.place, str(bad))


def _network(values: dict[str, Any]) -> Chain:
    chain_id = values.get("chainId")
    if type(chain_id) is not int or not 0 < chain_id <= _LARGEST_CHAIN_ID:
        raise BadRow("chainId is not a chain's number")
    name = NAMES.get(chain_id) or slug_of(str(values.get("shortName") or "").lower(), "shortName")
    return Chain(name, clean_text(required(values.get("name"), "name")), chain_id)
