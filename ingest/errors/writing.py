"""Records the occurrences of errors whose rows a batch has written."""

from collections.abc import Iterable

from ingest.assignment import SeriesIds
from ingest.batch import Batch
from ingest.events import ProjectEvent
from storage.error_groups import counting
from storage.error_groups.occurrence import Key, Occurrence
from storage.error_groups.recording import Recording, record


async def record_new(batch: Batch, new: Iterable[ProjectEvent], series: SeriesIds) -> set[Key]:
    """Records events whose rows are new; returns the keys of the errors that changed."""
    occurrences = [_occurrence(entry, series) for entry in new]
    if not occurrences:
        return set()
    return await record(Recording(batch.connection, batch.floors, batch.now), occurrences)


def _occurrence(entry: ProjectEvent, series: SeriesIds) -> Occurrence:
    project_id, event = entry
    place = project_id, event.occurred_at, event.event_id, series[entry.series_key]
    return Occurrence._make((*place, *event.values, event.content))


async def note_releases(batch: Batch, deployments: Iterable[ProjectEvent]) -> None:
    """Notes when the releases of deployments were seen: they give releases an order."""
    seen = ((id, event.value("release"), event.occurred_at) for id, event in deployments)
    await counting.note_releases(batch.connection, seen)
