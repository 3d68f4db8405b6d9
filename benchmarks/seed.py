"""Seeds a database with deployments that are distributed like those of a platform.

The figures are invented, so they are good for measuring speed only.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import asyncpg

from storage.facts import FACTS
from storage.facts.fact import Floors
from storage.keeping.partitions import ensure_ahead, ensure_for
from storage.keeping.windows import DEFAULT
from storage.rollups.repair import rebuild_day

PROJECTS = 1_000
NETWORKS = ("metis", "hyperion", "network-3", "network-4", "network-5", "network-6")
TEMPLATES = 40
FRAMEWORKS = ("next", "astro", "remix", "nuxt", "svelte", "hardhat", "foundry", "vite")
ENVIRONMENTS = ("production", "staging", "preview")
MOST_PAIRS = 80
DAYS = 90
YEAR_DAYS = 365

# The project of rank n has 1/n of the deployments of the first project.
PROJECT_WEIGHTS = tuple(1 / rank for rank in range(1, PROJECTS + 1))


@dataclass(frozen=True, slots=True)
class Pair:
    """A network and a template that a project deploys to it, made with a framework."""

    network: str
    template: str
    framework: str


def pairs(rank: int) -> list[Pair]:
    """The pairs of the project of this rank, the most used first: 80 for each of the ten largest,
    one for the smallest."""
    used = max(1, min(MOST_PAIRS, 10 * MOST_PAIRS // rank))
    found = []
    for number in range(used):
        template = (7 * rank + number) % TEMPLATES
        # The second time a template occurs, it has another network.
        network = NETWORKS[(rank + number + number // TEMPLATES) % len(NETWORKS)]
        framework = FRAMEWORKS[template % len(FRAMEWORKS)]
        found.append(Pair(network, f"template-{template + 1}", framework))
    return found


# A project's number is its rank. The first two networks come with the migrations.
_DICTIONARIES = f"""
insert into projects (slug, name)
select 'project-' || n, 'Project ' || n from generate_series(1, {PROJECTS}) as n;
insert into templates (slug, name)
select 'template-' || n, 'Template ' || n from generate_series(1, {TEMPLATES}) as n;
"""
_NETWORKS = """
insert into networks (name, title) select name, name from unnest($1::text[]) as given(name)
on conflict (name) do nothing
"""
_ENVIRONMENTS = "insert into environments (name) select unnest($1::text[])"
_FRAMEWORKS = "insert into frameworks (name) select unnest($1::text[])"

# Each pair is deployed to all environments. Series 1 counts what exceeds a project's cap.
_SERIES = """
insert into series (project_id, series_id, environment_id, network_id, template_id, framework_id)
select project_id, row_number() over (partition by project_id order by position) + 1,
  environment_id, network_id, template_id, framework_id
from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) with ordinality
  as given(project_id, network, template, framework, environment, position)
join environments on environments.name = environment
join networks on networks.name = network
join templates on templates.slug = template
join frameworks on frameworks.name = framework
"""

# Durations are log-normal about two minutes, 4 % fail, 1 % are cancelled.
_DEPLOYMENTS = """
with drawn as materialized (
  select n, 1 + width_bucket(random(), $3::float8[]) as project_id,
    $1::timestamptz - random() * $4::interval as created_at,
    random() as outcome, power(random(), 2) as pick,
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


async def seed(url: str, deployments: int, now: datetime, days: int = DAYS) -> float:
    """Fills an empty, migrated database with deployments of the last `days`; returns the seconds
    it took."""
    began = time.perf_counter()
    connection = await asyncpg.connect(url, server_settings={"jit": "off"}, timeout=30)
    first = now - timedelta(days=days + 1)
    await ensure_ahead(connection, now)
    await ensure_for(connection, [first + timedelta(days=n) for n in range(days + 2)], now)
    await _name(connection)
    await connection.execute("select setseed(0.42)")
    newest, span = now - timedelta(hours=1), timedelta(days=days)
    await connection.execute(_DEPLOYMENTS, newest, deployments, _thresholds(), span, timeout=3_600)
    await connection.execute(_EVENTS, timeout=3_600)
    await _roll_up(connection, first, now)
    await connection.execute("vacuum analyze", timeout=3_600)
    await connection.close()
    return time.perf_counter() - began


async def _name(connection: asyncpg.Connection) -> None:
    """Inserts the dictionaries, and the series that each project uses."""
    await connection.execute(_DICTIONARIES)
    await connection.execute(_NETWORKS, NETWORKS)
    await connection.execute(_ENVIRONMENTS, ENVIRONMENTS)
    await connection.execute(_FRAMEWORKS, FRAMEWORKS)
    rows = [
        (rank, pair.network, pair.template, pair.framework, environment)
        for rank in range(1, PROJECTS + 1)
        for pair in pairs(rank)
        for environment in ENVIRONMENTS
    ]
    await connection.execute(_SERIES, *zip(*rows, strict=True))
    await connection.execute("analyze")


def _thresholds() -> list[float]:
    """The thresholds at which a number between 0 and 1 passes to the next project."""
    whole = sum(PROJECT_WEIGHTS)
    return [so_far / whole for so_far in accumulate(PROJECT_WEIGHTS[:-1])]


async def _roll_up(connection: asyncpg.Connection, first: datetime, now: datetime) -> None:
    """Builds the roll-ups as a repair does; minutes only for their retention."""
    floors = Floors(DEFAULT.floors(now).minute, None, None)
    fact = FACTS["deployment"]
    day = first.astimezone(UTC).date()
    while day <= now.date() + timedelta(days=1):
        await rebuild_day(connection, fact, day, floors)
        day += timedelta(days=1)
