"""What rules on events leave out, as they have too many instances already: counted, each once."""

from datetime import datetime, timedelta
from uuid import UUID


class LeftOut:
    """The occurrences that each rule has left out ``within`` a time."""

    def __init__(self, within: timedelta) -> None:
        self._within = within
        self._seen: dict[UUID, dict[UUID, datetime]] = {}

    def add(self, rule_id: UUID, occurrence: UUID, now: datetime) -> bool:
        """Notes an occurrence; returns whether it was not noted before."""
        seen = self._seen.setdefault(rule_id, {})
        is_new = occurrence not in seen
        seen.setdefault(occurrence, now)
        return is_new

    def count(self, rule_id: UUID, now: datetime) -> int:
        """Returns how many occurrences a rule has left out of late, and forgets older ones."""
        seen = self._seen.get(rule_id, {})
        for occurrence, at in list(seen.items()):
            if now - at < self._within:
                break
            del seen[occurrence]
        return len(seen)
