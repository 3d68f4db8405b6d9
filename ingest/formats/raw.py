"""An event as a wire format hands it to the normaliser."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.events import MAX_ID_LENGTH, Code, Event, Rejection
from storage.names import clean_text


@dataclass(frozen=True, slots=True)
class FormatDetails:
    """What a wire format adds to the fields of an event.

    `required` has further fields that the event needs; `adapted` makes the event of the one that
    was read. With `ids_within_source` even a UUID is only unique within its source, as CloudEvents
    define.
    `paths` has the paths at which the sender wrote fields; other fields have `prefix` before them.
    """

    required: tuple[str, ...] = ()
    adapted: Callable[[Event], Event] | None = None
    ids_within_source: bool = False
    paths: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""


PLAIN = FormatDetails()


@dataclass(frozen=True, slots=True)
class Raw:
    """An unchecked event with the plain format's field names."""

    value: Any
    details: FormatDetails = PLAIN


# What a format makes of an event.
Unchecked = Raw | Rejection


def rejected(code: Code, message: str, path: str | None = None, id: object = None) -> Rejection:
    """A rejection; the id is the sender's own text, cleaned and cut to be sent back."""
    shown = clean_text(id[:MAX_ID_LENGTH]) if isinstance(id, str) else None
    return Rejection(code, message, path, shown)
