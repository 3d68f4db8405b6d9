"""An event as a wire format hands it to the normaliser."""

from dataclasses import dataclass
from typing import Any

from ingest.events import MAX_ID_LENGTH, Code, Rejection
from ingest.fields import clean_text
from ingest.normaliser import PLAIN, FormatDetails


@dataclass(frozen=True, slots=True)
class Raw:
    """An unchecked event with the plain format's field names, or its rejection."""

    value: Any
    details: FormatDetails = PLAIN
    rejection: Rejection | None = None

    @classmethod
    def rejected(
        cls, code: Code, message: str, path: str | None = None, id: object = None
    ) -> "Raw":
        """A rejection; the id is the sender's own text, cleaned and cut to be sent back."""
        shown = clean_text(id[:MAX_ID_LENGTH]) if isinstance(id, str) else None
        return cls(None, PLAIN, Rejection(code, message, path, shown))
