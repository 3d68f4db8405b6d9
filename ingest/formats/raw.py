"""What a wire format hands to the normaliser for one event."""

from dataclasses import dataclass, replace
from typing import Any

from ingest.events import MAX_ID_LENGTH, Rejection
from ingest.fields import clean_text
from ingest.normaliser import PLAIN, FormatDetails


@dataclass(frozen=True, slots=True)
class Raw:
    """An event in our field names (or any value, to be refused there), or a refusal at once."""

    value: Any
    origin: FormatDetails = PLAIN
    rejection: Rejection | None = None

    @classmethod
    def refused(cls, rejection: Rejection) -> "Raw":
        """The id is the sender's own text, so it is made fit to be sent back."""
        shown = rejection.id and clean_text(rejection.id[:MAX_ID_LENGTH])
        return cls(None, PLAIN, replace(rejection, id=shown))
