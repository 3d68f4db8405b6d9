"""Which entities are in force, of those that expire."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, true

from storage.facts.fact import Entity, Expiry


def is_in_force(
    entity: Entity, expiry: Expiry, at: ColumnElement[datetime] | None = None
) -> ColumnElement[bool]:
    """Whether a row has a status in force, and none of its project and names finished so later.

    So a later one takes its place for good, even if that is removed. An expired one is in force
    until then. With a moment `at`, whether it was so then: by what happened before.
    """
    table, later = entity.table, entity.table.alias("later")
    own, other, id = table.c, later.c, entity.id_column
    is_later = or_(
        other.finished_at > own.finished_at,
        and_(other.finished_at == own.finished_at, other[id] > own[id]),
    )
    replaced = (
        select(other[id])
        .where(
            other.project_id == own.project_id,
            other[expiry.of.name] == own[expiry.of.name],
            other[expiry.within.name].is_not_distinct_from(own[expiry.within.name]),
            _is_one_of(other.finish_status, expiry),
            is_later,
            true() if at is None else other.finished_at < at,
        )
        .correlate(table)
        .exists()
    )
    if at is None:
        return and_(_is_one_of(own.status, expiry), ~replaced)
    since = or_(_is_one_of(own.status, expiry), own.state_at >= at)
    return and_(_is_one_of(own.finish_status, expiry), own.finished_at < at, since, ~replaced)


def _is_one_of(status: ColumnElement[int], expiry: Expiry) -> ColumnElement[bool]:
    return or_(*(status == int(each) for each in expiry.statuses))
