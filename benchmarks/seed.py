"""Volume: any number of made-up deployments over ninety days, written in bulk and rolled up.

The figures are made up, so they serve to measure speed and nothing else.
"""

import time
from datetime import UTC, datetime, timedelta

import asyncpg

from storage.facts import FACTS
from storage.facts.fact import Floors
from storage.partitions import ensure_range
from storage.rollups.repair import rebuild_day

PROJECTS = 1_000
TEMPLATES = 40
DAYS = 90

_DICTIONARIES = f"""
insert into projects (slug, name)
select 'project-' || n, 'Project ' || n from generate_series(1, {PROJECTS}) as n;
insert into templates (slug, name)
select 'template-' || n, 'Template ' || n from generate_series(1, {TEMPLATES}) as n;
insert into networks (name, title)
select 'network-' || n, 'Network ' || n from generate_series(1, 3) as n;
insert into environments (name) values ('production'), ('staging'), ('preview');
insert into frameworks (name) values ('next'), ('astro'), ('hardhat'), ('foundry');
-- Each project deploys one or two templates to its network, in three environments.
insert into series (project_id, series_id, environment_id, network_id, template_id, framework_id)
select project_id, row_number() over (partition by project_id) + 1,
  environment_id, networks.network_id, templates.template_id, frameworks.framework_id
from projects
join networks on networks.network_id = 2 + project_id % 5
join environments on environment_id > 1
join templates on templates.template_id in (2 + project_id % {TEMPLATES}, 2 + project_id % 7)
join frameworks on frameworks.framework_id = 2 + project_id % 4;
analyze;
"""

# Project popularity is skewed, durations are log-normal about two minutes, 4 % fail.
_DEPLOYMENTS = f"""
with drawn as materialized (
  select n, 1 + floor(power(random(), 2) * {PROJECTS})::bigint as project_id,
    $1::timestamptz - random() * interval '{DAYS} days' as created_at,
    random() as outcome, random() as pick,
    (exp(ln(120) + 0.8 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) * 1e6)::bigint
      as duration_us
  from generate_series(1, $2::int) as n),
placed as (
  select drawn.*, 2 + floor(pick * counts.n)::int as series_id
  from drawn join (select project_id, count(*) as n from series group by 1) as counts
    using (project_id))
insert into deployments (project_id, deployment_id, external_id, series_id, status, state_rank,
  state_at, state_event_id, created_at, started_at, finished_at, finish_event_id, finish_status,
  duration_us, environment, network, template, framework, actor)
select placed.project_id, md5('deployment ' || n)::uuid, 'deployment-' || n, series_id,
  outcomes.status, 2,
  placed.created_at + interval '5 seconds' + placed.duration_us * interval '1 microsecond',
  md5('finish ' || n)::uuid, placed.created_at, placed.created_at + interval '5 seconds',
  placed.created_at + interval '5 seconds' + placed.duration_us * interval '1 microsecond',
  md5('finish ' || n)::uuid, outcomes.status, placed.duration_us,
  environments.name, networks.name, templates.slug, frameworks.name, 'ci'
from placed
cross join lateral (select case when outcome < 0.04 then 3 when outcome < 0.05 then 4 else 2 end
  as status) as outcomes
join series using (project_id, series_id)
join environments using (environment_id)
join networks using (network_id)
join templates using (template_id)
join frameworks using (framework_id)
"""

_EVENTS = """
insert into deployment_events (project_id, occurred_at, event_id, deployment_id, type,
  environment, network, template, framework, duration_us, actor, source, external_id)
select project_id, moment.occurred_at, moment.event_id, deployment_id, moment.type,
  environment, network, template, framework, moment.duration_us, actor, 'benchmark', null
from deployments cross join lateral (values
  (created_at, md5(deployment_id::text || 'queued')::uuid, 0, null::bigint),
  (started_at, md5(deployment_id::text || 'started')::uuid, 1, null),
  (finished_at, finish_event_id, finish_status + 1, duration_us)
) as moment(occurred_at, event_id, type, duration_us)
"""


async def seed(url: str, deployments: int, now: datetime) -> float:
    """Fill an empty, migrated database; says how many seconds it took."""
    began = time.perf_counter()
    connection = await asyncpg.connect(url, server_settings={"jit": "off"}, timeout=30)
    await ensure_range(connection, now - timedelta(days=DAYS + 1), now + timedelta(days=2))
    await connection.execute(_DICTIONARIES)
    await connection.execute("select setseed(0.42)")
    await connection.execute(_DEPLOYMENTS, now - timedelta(hours=1), deployments, timeout=3_600)
    await connection.execute(_EVENTS, timeout=3_600)
    await _roll_up(connection, now)
    await connection.execute("vacuum analyze", timeout=3_600)
    await connection.close()
    return time.perf_counter() - began


async def _roll_up(connection: asyncpg.Connection, now: datetime) -> None:
    """By the rebuild that also serves repair; minutes are made for the last two days only."""
    floors = Floors(now - timedelta(days=2), None, None)
    fact = FACTS["deployment"]
    day = (now - timedelta(days=DAYS + 1)).astimezone(UTC).date()
    while day <= now.date() + timedelta(days=1):
        await rebuild_day(connection, fact, day, floors)
        day += timedelta(days=1)
