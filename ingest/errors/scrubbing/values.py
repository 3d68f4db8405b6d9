"""The values of a copied body: names, numbers and lists within their limits."""

from typing import Any

import orjson

from ingest.errors.scrubbing.numbers import is_card
from ingest.errors.scrubbing.spans import CARD
from storage.names import clean_text

MAX_KEY_LENGTH = 200
MAX_ITEMS = 250
CUT = "[cut]"
_LONGEST_USER_ID = 300
_LARGEST_INTEGER = (1 << 63) - 1
_SMALLEST_CARD = 10**12


def user_text(value: Any) -> str | None:
    """The text or the number that a user is known by."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)[:_LONGEST_USER_ID]


def name_of(key: Any) -> str:
    text = key if isinstance(key, str) else str(key)
    return text if len(text) <= MAX_KEY_LENGTH else f"{text[: MAX_KEY_LENGTH - 5]}{CUT}"


def free(names: dict[str, Any], name: str) -> str:
    """The name, with a mark if there is one like it."""
    while name in names:
        name += "'"
    return name


def shortened(items: list[Any] | tuple[Any, ...]) -> tuple[list[Any], int]:
    """The first and last of the items, and how many are missing between them."""
    if len(items) <= MAX_ITEMS + 1:
        return list(items), 0
    half = MAX_ITEMS // 2
    return [*items[:half], *items[-half:]], len(items) - MAX_ITEMS


def scalar(value: Any) -> Any:
    """A value that JSON and PostgreSQL can hold."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if value >= _SMALLEST_CARD and is_card(str(value)[:40]):
            return CARD
        return value if abs(value) <= _LARGEST_INTEGER else str(value)[:100]
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    return clean_text(str(value))[:MAX_KEY_LENGTH]


def parsed(text: str) -> Any:
    """The object or list that a text is in JSON, else None."""
    try:
        document = orjson.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict | list) and document else None
