"""What a reader yields, in parts."""

from collections.abc import Callable, Iterable
from pathlib import Path

from ingest.importers.events import ImportedEvent
from ingest.importers.files import Problem

Read = Callable[[Path], Iterable[ImportedEvent | Problem]]


def events_of(read: Read, source: Path) -> list[ImportedEvent]:
    return [item for item in read(source) if isinstance(item, ImportedEvent)]


def problems_of(read: Read, source: Path) -> dict[str, str]:
    """The messages by location."""
    return {item.location: item.message for item in read(source) if isinstance(item, Problem)}


def have_ids_of_their_own(events: list[ImportedEvent]) -> bool:
    return len({(event.project, event.fields["id"]) for event in events}) == len(events)
