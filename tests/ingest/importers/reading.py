"""What a reader yields, in parts."""

from pathlib import Path

from ingest.importers.events import ImportedEvent
from ingest.importers.facts import Events
from ingest.importers.files import Problem


def events_of(importer: Events, source: Path) -> list[ImportedEvent]:
    return [item for item in importer.read(source) if isinstance(item, ImportedEvent)]


def problems_of(importer: Events, source: Path) -> dict[str, str]:
    """The messages by location."""
    found = importer.read(source)
    return {item.location: item.message for item in found if isinstance(item, Problem)}


def have_ids_of_their_own(events: list[ImportedEvent]) -> bool:
    return len({(event.project, event.fields["id"]) for event in events}) == len(events)
