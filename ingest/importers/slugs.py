"""Short names of what is provisioned."""

import re
from typing import Any

from ingest.importers.records import BadRow, required

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_RESERVED = "other"


def slug_of(text: Any, name: str) -> str:
    """The text, which must be fit to name a thing in queries and addresses."""
    slug = required(text, name)
    if not _SLUG.fullmatch(slug) or slug == _RESERVED:
        raise BadRow(f"{name} {slug!r} cannot be a short name")
    return slug
