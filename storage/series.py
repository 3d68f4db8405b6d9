"""Series: a project's combinations of dimensions, of which a limited number is counted apart."""

from collections.abc import Collection, Iterable
from functools import cache
from typing import NamedTuple

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.facts.fact import Fact

# The series of all combinations beyond the limit. It has no row; its dimensions read as "other".
OVERFLOW = 1

# Ids in the order of the fact's dimensions.
Combination = tuple[int, ...]


async def admit(
    connection: Connection,
    fact: Fact,
    project_id: int,
    combinations: Iterable[Combination],
) -> dict[Combination, int]:
    """The series ids of all combinations, creating new ones; OVERFLOW beyond the fact's limit.

    Creating holds a lock on the project's series of the fact until the transaction ends, so callers
    with several projects go in ascending order of project_id.
    """
    wanted = set(combinations)
    found = await _find(connection, fact, project_id, wanted)
    missing = sorted(wanted - found.keys())
    if missing:
        statements = _statements(fact)
        await connection.execute(statements.lock, project_id)
        columns = columns_of(missing, len(fact.dimensions))
        await connection.execute(statements.admit, project_id, fact.series_at_most, *columns)
        found |= await _find(connection, fact, project_id, missing)
    return {combination: found.get(combination, OVERFLOW) for combination in wanted}


async def _find(
    connection: Connection, fact: Fact, project_id: int, wanted: Collection[Combination]
) -> dict[Combination, int]:
    columns = columns_of(wanted, len(fact.dimensions))
    rows = await connection.fetch(_statements(fact).find, project_id, *columns)
    return {tuple(row[1:]): row[0] for row in rows}


class _Statements(NamedTuple):
    lock: str
    find: str
    admit: str


@cache
def _statements(fact: Fact) -> _Statements:
    table, columns = fact.series.name, fact.series_columns
    names, own = ", ".join(columns), ", ".join(f"{table}.{column}" for column in columns)
    return _Statements(
        lock=f"select pg_advisory_xact_lock(hashtextextended('{table}:' || $1::bigint, 0))",
        find=f"""
select series_id, {names} from {table}
join unnest({_arrays(columns, 2)}) as wanted({names}) using ({names})
where project_id = $1
""",
        # New ids follow the highest one; the first is OVERFLOW + 1.
        admit=f"""
insert into {table} (project_id, series_id, {names})
select $1, last.series_id + new.position, {names}
from (select coalesce(max(series_id), {OVERFLOW}) as series_id from {table} where project_id = $1)
    as last,
  (select row_number() over (order by wanted.*) as position, wanted.*
   from unnest({_arrays(columns, 3)}) as wanted({names})
   where not exists (select 1 from {table} where project_id = $1
     and ({own}) = ({", ".join(f"wanted.{column}" for column in columns)}))
  ) as new
where last.series_id + new.position <= {OVERFLOW} + $2
""",
    )


def _arrays(columns: Collection[str], first: int) -> str:
    return ", ".join(f"${number}::int[]" for number in range(first, first + len(columns)))
