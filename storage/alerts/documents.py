"""Rows as documents, many of which a statement takes at once."""

from typing import Any
from uuid import UUID


def row_document(row: Any) -> dict[str, Any]:
    """Returns the fields of a row's dataclass by name, for JSON."""
    fields = {name: getattr(row, name) for name in type(row).__match_args__}
    # The driver's own UUIDs are of another class, which no encoder knows.
    return {
        name: str(value) if isinstance(value, UUID) else value for name, value in fields.items()
    }
