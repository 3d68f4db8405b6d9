"""The statements that draw rows: $1 is the newest time, $2 the number of rows, $3 the thresholds
of projects, $4 the length of time."""

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
  from drawn join (select project_id, count(*) as n from deployment_series group by 1) as counts
    using (project_id))
insert into deployments (project_id, deployment_id, external_id, series_id, status, state_rank,
  state_at, state_event_id, created_at, started_at, finished_at, updated_at, finish_event_id,
  finish_status, duration_us, environment, network, template, framework, actor)
select placed.project_id, md5('deployment ' || n)::uuid, 'deployment-' || n, series_id,
  outcomes.status, 2, finished_at, md5('finish ' || n)::uuid, placed.created_at,
  placed.created_at + interval '5 seconds', finished_at, finished_at,
  md5('finish ' || n)::uuid, outcomes.status, placed.duration_us,
  environments.name, networks.name, templates.slug, frameworks.name, 'ci'
from placed
cross join lateral (select case when outcome < 0.04 then 3 when outcome < 0.05 then 4 else 2 end
  as status) as outcomes
cross join lateral (select placed.created_at + interval '5 seconds'
  + placed.duration_us * interval '1 microsecond' as finished_at) as ends
join deployment_series using (project_id, series_id)
join environments using (environment_id)
join networks using (network_id)
join templates using (template_id)
join frameworks using (framework_id)
"""

_STATUS_EVENTS = """
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

DEPLOYMENTS = (_DEPLOYMENTS, _STATUS_EVENTS)

# In the order of time, as events come in. Durations are log-normal about 60 ms, 2 % fail, 5 % are
# cold starts.
_INVOCATIONS = """
insert into invocations (project_id, occurred_at, event_id, series_id, duration_us, init_us,
  memory_bytes, failed, cold_start, error)
select project_id, occurred_at, md5('invocation ' || drawn.n)::uuid,
  2 + floor(pick * counts.n)::int, duration_us, case when chill < 0.05 then 250000 end, 134217728,
  outcome < 0.02, chill < 0.05, case when outcome < 0.02 then 'Error: timed out' end
from (
  select n, 1 + width_bucket(random(), $3::float8[]) as project_id,
    $1::timestamptz - ($2::int - n + random()) / $2::int * $4::interval as occurred_at,
    random() as outcome, random() as chill, power(random(), 2) as pick,
    (exp(ln(60) + sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) * 1e3)::bigint
      as duration_us
  from generate_series(1, $2::int) as n) as drawn
join (select project_id, count(*) as n from invocation_series group by 1) as counts
  using (project_id)
"""

_SEEN = """
update invocation_series as known set first_at = seen.first_at, last_at = seen.last_at
from (select project_id, series_id, min(occurred_at) as first_at, max(occurred_at) as last_at
  from invocations group by 1, 2) as seen
where known.project_id = seen.project_id and known.series_id = seen.series_id
"""

INVOCATIONS = (_INVOCATIONS, _SEEN)
