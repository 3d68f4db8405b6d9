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
from storage.running import Mark, SeriesKey


async def announce(
    batch: Batch, fact: Append, starts: Sequence[ProjectEvent], series: SeriesIds
) -> list[SeriesKey]:
    """Notes which series report starts; returns those that had reported none."""
    given = {_series_key(entry, series) for entry in starts}
    return await running.announce(batch.connection, fact, given) if given else []


async def note(
    batch: Batch,
    fact: Append,
    starts: Sequence[ProjectEvent],
    ends: Sequence[ProjectEvent],
    first: Sequence[SeriesKey],
    series: SeriesIds,
) -> list[Written]:
    """Stores starts, and ends where starts are reported; returns each start's result."""
    since = batch.now - running.GIVEN_UP_AFTER
    recent = [entry for entry in ends if entry.event.occurred_at > since]
    given = {_series_key(entry, series) for entry in recent}
    announced = await running.announced(batch.connection, fact, given) if given else set()
    begun = [_mark(entry, series) for entry in starts]
    ended = [_mark(entry, series) for entry in recent if _series_key(entry, series) in announced]
    marks = [*(mark for mark in begun if mark.at > since), *ended]
    seen = await running.note(batch.connection, fact, marks, first, batch.now)
    results = []
    for mark in begun:
        results.append(Written.KNOWN if mark.key in seen else Written.NEW)
        seen.add(mark.key)
    return results


def _series_key(entry: ProjectEvent, series: SeriesIds) -> SeriesKey:
    return entry.project_id, series[entry.series_key]


def _mark(entry: ProjectEvent, series: SeriesIds) -> Mark:
    project_id, event = entry
    is_start = event.type == START
    return Mark(
        project_id,
        _pair_id(event),
        event.occurred_at,
        series[entry.series_key],
        event.external_id,
        started=is_start,
        ended=not is_start,
    )


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
