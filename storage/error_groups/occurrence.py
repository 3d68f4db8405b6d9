"""An occurrence of an error, as it is recorded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from storage.facts.content import Key, NewRow


class Description(NamedTuple):
    """What an occurrence says about its error."""

    signature: UUID
    grouping: Mapping[str, Any]  # the parts that decided, as JSON
    title: str
    error_type: str | None
    culprit: str | None
    severity: int
    platform: str | None
    body: str  # as JSON, which takes less memory while it waits
    search: str


class Occurrence(NamedTuple):
    """An occurrence whose row is new in this transaction."""

    project_id: int
    occurred_at: datetime
    event_id: UUID
    series_id: int
    fingerprint_id: UUID
    user_key: int | None
    release: str | None
    function: str | None
    deployment_id: UUID | None
    about: Description

    @classmethod
    def of(cls, new: NewRow) -> "Occurrence":
        return cls._make((*new[:4], *new.values, new.content))

    @property
    def key(self) -> Key:
        """That of its fingerprint."""
        return self.project_id, self.fingerprint_id

    @property
    def position(self) -> tuple[datetime, UUID]:
        """Its place in the order of time; no two of a project have the same."""
        return self.occurred_at, self.event_id
