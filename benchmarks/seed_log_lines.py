"""Fills the tables of log lines with lines to search in."""

from datetime import datetime

import asyncpg

# The first projects have all lines, the first of them half of all.
PROJECTS = 50
WORDS = 5_000
COMMON_WORD = "handled"  # in every line
FREQUENT_WORD = "slowly"  # in every tenth line
LARGEST_WORD = "checkout"  # in all lines of the first project, and in no other
OLD_WORD = "started"  # in the oldest fifth of all lines
_STATEMENT_SECONDS = 7_200


def rare_word(number: int) -> str:
    """A word of one line in `WORDS`."""
    return f"order{number % WORDS}"


async def seed_log_lines(url: str, lines: int, now: datetime) -> None:
    """Adds so many lines with their texts, from two weeks ago until now."""
    print(f"seeding {lines:,} log lines ...", flush=True)
    connection = await asyncpg.connect(url, server_settings={"jit": "off"})
    for statement, *arguments in (
        (_LOGGERS,),
        (_SERIES, PROJECTS),
        (_ROWS, lines, now),
        (_TEXTS, lines, now, WORDS),
        ("vacuum analyze",),
    ):
        await connection.execute(statement, *arguments, timeout=_STATEMENT_SECONDS)
    await connection.close()


_LOGGERS = """
insert into loggers (name) select 'bench.module' || n from generate_series(1, 10) as n
on conflict do nothing
"""

_SERIES = """
insert into log_line_series (project_id, series_id, logger_id, environment_id, function_id)
select project_id, 10 + row_number() over (partition by project_id order by logger_id), logger_id,
  0, 0
from generate_series(1, $1::int) as project_id, loggers where name like 'bench.%'
"""

_LINE = f"""
from generate_series(0, $1::int - 1) as number,
  lateral (select case when number % 2 = 0 then 1 else 1 + number % {PROJECTS} end as project_id,
    $2::timestamptz - interval '14 days' * number / $1::int as occurred_at,
    md5('line ' || number)::uuid as event_id, 11 + number / 2 % 10 as series_id,
    case when number % 1000 = 7 then 5 when number % 50 = 7 then 4 else 3 end as level) as line
"""

_ROWS = f"""
insert into log_lines (project_id, occurred_at, event_id, series_id, level)
select project_id, occurred_at, event_id, series_id, level {_LINE}
"""

_TEXTS = f"""
insert into log_texts (project_id, occurred_at, event_id, message, fields, search)
select project_id, occurred_at, event_id, message, jsonb_build_object('seconds', number % 97),
  to_tsvector('simple', message || ' ' || number % 97) || array_to_tsvector(array[
    'p=' || project_id, 's=' || project_id || '.' || series_id, 'l=' || level,
    'h=' || seconds / 14400, 'u=' || seconds / 172800])
{_LINE}, lateral (select floor(extract(epoch from occurred_at))::bigint as seconds) as time,
  lateral (select concat_ws(' ', 'GET /orders was {COMMON_WORD}',
  case when project_id = 1 then 'by {LARGEST_WORD}' end,
  case when number % 10 = 3 then '{FREQUENT_WORD}' end,
  case when number > $1::int * 0.8 then 'after the worker {OLD_WORD}' end,
  'for order' || number % $3::int, 'by customer', 'customer' || number % 10007) as message) as text
"""
