"""What a wire format hands to the normaliser for one event."""

from dataclasses import dataclass
from typing import Any

from ingest.events import Rejection
from ingest.normaliser import PLAIN, Origin


@dataclass(frozen=True, slots=True)
class Raw:
    """An event in our field names (or any value, to be refused there), or a refusal at once."""

    value: Any
    origin: Origin = PLAIN
    rejection: Rejection | None = None

    @classmethod
    def refused(cls, rejection: Rejection) -> "Raw":
        return cls(None, PLAIN, rejection)
