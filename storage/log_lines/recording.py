"""Stores the texts of new log lines, within the budget of their project."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from storage.connections.query import columns_of
from storage.facts.content import Key, NewRow, Recording
from storage.facts.log_lines import LOG_LINES, is_problem
from storage.log_lines import marks


class LogText(NamedTuple):
    """What is stored of a line: its message, its fields as JSON, and the words to find it by."""

    message: str | None
    fields: str | None
    words: str


async def record(recording: Recording, new_rows: Sequence[NewRow]) -> set[Key]:
    """Count the new lines of each day, and store the texts of those within the budget.

    Old lines, as of an archive, take nothing from today's budget.
    """
    connection = recording.connection
    groups = [
        (row.project_id, _day(row.occurred_at), is_problem(row.values[_LEVEL])) for row in new_rows
    ]
    counts = Counter(groups)
    days = [(*group, counts[group]) for group in sorted(counts)]
    numbers = {  # of the lines that came before
        group: row["lines"] - counts[group]
        for row in await connection.fetch(_COUNT, *columns_of(days))
        for group in [(row["project_id"], row["day"], row["problems"])]
    }
    rows = []
    for row, group in zip(new_rows, groups, strict=True):
        if numbers[group] < recording.log_texts_per_day:
            rows.append((*row[:3], *row.content, _marks(row)))
        numbers[group] += 1
    await connection.execute(_STORE, *columns_of(rows, 7))
    return set()


def _day(time: datetime) -> datetime:
    """The start of its UTC day."""
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _marks(row: NewRow) -> str:
    """The marks of a line, separated by spaces."""
    level, deployment_id, trace_id = (row.values[place] for place in _MARKED)
    found = [
        marks.of_project(row.project_id),
        marks.of_series(row.project_id, row.series_id),
        marks.of_level(level),
        *marks.of_time(row.occurred_at),
    ]
    if deployment_id:
        found.append(marks.of_deployment(deployment_id))
    if trace_id:
        found.append(marks.of_trace(trace_id))
    return " ".join(found)


_MARKED = tuple(map(LOG_LINES.columns.index, ("level", "deployment_id", "trace_id")))
_LEVEL = _MARKED[0]

_COUNT = """
insert into log_days as known (project_id, day, problems, lines)
select * from unnest($1::bigint[], $2::timestamptz[], $3::boolean[], $4::bigint[])
on conflict (project_id, day, problems) do update set lines = known.lines + excluded.lines
returning project_id, day, problems, lines
"""

_STORE = """
insert into log_texts (project_id, occurred_at, event_id, message, fields, search)
select project_id, occurred_at, event_id, message, fields::jsonb,
  to_tsvector('simple', words) || array_to_tsvector(string_to_array(marks, ' '))
from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[],
  $7::text[]) as given(project_id, occurred_at, event_id, message, fields, words, marks)
"""
