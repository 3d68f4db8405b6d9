"""The rows of entities that are in some state at the end of a range, and since when."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, literal_column, or_, select, union_all

from storage.facts.fact import Age, Entity
from storage.queries.expiring import is_in_force

_Moment = ColumnElement[datetime]


def rows_of_age(
    entity: Entity, age: Age, visible: ColumnElement[bool], start: _Moment, end: _Moment
) -> Select[Any]:
    """Project, series and the time `since`, of the visible rows that have the age at the end."""
    return {Age.RUNNING: _running, Age.EXPIRY: _in_force}[age](entity, visible, start, end)


def _running(
    entity: Entity, visible: ColumnElement[bool], start: _Moment, end: _Moment
) -> Select[Any]:
    """What was created in the range, had started before its end, and had not ended then."""
    of = entity.table.c
    names = ("project_id", "series_id", "created_at", "started_at", "state_rank", "state_at")
    rows = select(*(of[name] for name in names)).where(visible)
    # Both read the index of finishes, which has few such rows, as long as the end is recent. For a
    # range without an upper limit the planner would expect a third of the table.
    later = rows.where(of.finished_at >= end, of.finished_at <= literal_column("'infinity'"))
    either = union_all(rows.where(of.finished_at.is_(None)), later).subquery("unfinished")
    # The offset keeps it from reading all that was created in the range instead.
    found = select(*either.c).offset(literal_column("0")).subquery("running").c
    ended = found.state_rank >= literal_column(str(entity.lifecycle.finish_rank))
    return select(found.project_id, found.series_id, found.started_at.label("since")).where(
        found.created_at >= start,
        found.started_at < end,
        or_(~ended, found.state_at >= end),
    )


def _in_force(
    entity: Entity, visible: ColumnElement[bool], _start: _Moment, end: _Moment
) -> Select[Any]:
    assert entity.expiry is not None
    of, expiry = entity.table.c, entity.expiry
    rows = select(of.project_id, of.series_id, of[expiry.column].label("since"))
    return rows.where(visible, of[expiry.column].is_not(None), is_in_force(entity, expiry, end))
