"""Short names of what is provisioned."""

from typing import Any

from ingest.importers.records import BadRow, required
from storage.dimensions import is_slug


def slug_of(text: Any, name: str) -> str:
    """The text, which must be fit to name a thing in queries and addresses."""
    slug = required(text, name)
    if not is_slug(slug):
        raise BadRow(f"{name} {slug!r} cannot be a short name")
    return slug
