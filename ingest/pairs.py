"""Pairs the starts and ends that events of some append facts report, to know what runs now.

They share the sender's id of the pair; where it has none, the name in the fact's first dimension
and the time of the start.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from ingest.assignment import SeriesIds
from ingest.batch import Batch
from ingest.events import Event, ProjectEvent, Written
from ingest.identity import content_uuid
from storage import running
from storage.facts.fact import START, Append
from storage.running import Mark


async def begin(
    batch: Batch, fact: Append, entries: Sequence[ProjectEvent], series: SeriesIds
) -> list[Written]:
    """Stores starts; returns each one's result."""
    starts = [_mark(entry, series) for entry in entries]
    first = {start[:2]: start for start in reversed(starts)}
    known = await running.begin(batch.connection, fact, list(first.values()), batch.now)
    return [
        Written.NEW if first[start[:2]] is start and start[:2] not in known else Written.KNOWN
        for start in starts
    ]


async def end(
    batch: Batch, fact: Append, entries: Sequence[ProjectEvent], series: SeriesIds
) -> None:
    """Notes the ends of new rows, where starts are reported too."""
    connection, since = batch.connection, batch.now - running.GIVEN_UP_AFTER
    recent = [
        ((entry.project_id, series[entry.series_key]), entry)
        for entry in entries
        if entry.event.occurred_at > since
    ]
    given = {key for key, _ in recent}
    announced = await running.announced(connection, fact, given) if given else set()
    ends = [_mark(entry, series) for key, entry in recent if key in announced]
    await running.end(connection, fact, ends, batch.now)


def _mark(entry: ProjectEvent, series: SeriesIds) -> Mark:
    project_id, event = entry
    pair_id, series_id = _pair_id(event), series[entry.series_key]
    return Mark(project_id, pair_id, event.occurred_at, series_id, event.external_id)


def _pair_id(event: Event) -> UUID:
    if event.pair is not None:
        return event.event_id
    started_at = event.occurred_at
    if event.type != START:
        started_at -= timedelta(microseconds=_duration_us(event))
    return content_uuid(event.project, {"name": event.names[0], "started_at": started_at})


def _duration_us(event: Event) -> int:
    """The duration, which reaches back to the start; 0 if it is unknown."""
    timing = event.fact.timing
    return (event.value(timing.column) or 0) if timing else 0
