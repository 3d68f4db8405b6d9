"""Projects that are new: each is handed out once, to be given the rules that it begins with."""

from datetime import datetime, timedelta

from storage.connections.database import Connection

# No transaction that adds a project lasts so long: one with a lower id is visible by then.
SETTLED_AFTER = timedelta(seconds=30)
TAKEN_AT_MOST = 100


async def take(connection: Connection, now: datetime) -> list[int]:
    """Returns projects that were added since the last time, oldest first.

    The first time, all that there are count as old. It returns none while somebody else takes some.
    """
    if await connection.fetchval(_BEGIN, now):
        return []
    last = await connection.fetchval(_LAST)
    if last is None:
        return []
    rows = await connection.fetch(_NEW, last, now - SETTLED_AFTER, TAKEN_AT_MOST)
    ids = [row["project_id"] for row in rows]
    if ids:
        await connection.execute(_REMEMBER, now, ids[-1])
    return ids


_BEGIN = """
insert into alert_ticks (name, fence, evaluated_at, position)
select 'new_projects', 0, $1, jsonb_build_object('project_id', coalesce(max(project_id), 0))
from projects
on conflict do nothing returning true
"""

_LAST = """
select (position ->> 'project_id')::bigint from alert_ticks where name = 'new_projects'
for update skip locked
"""

_NEW = """
select project_id from projects
where project_id > $1 and created_at < $2
  and project_id < coalesce((select min(project_id) from projects
    where project_id > $1 and created_at >= $2), 9223372036854775807)
order by project_id limit $3
"""

_REMEMBER = """
update alert_ticks
set evaluated_at = $1, position = jsonb_build_object('project_id', $2::bigint)
where name = 'new_projects'
"""
