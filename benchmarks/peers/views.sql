-- What PostGraphile reads: the product's own tables under the names of its schema. Views this
-- plain are taken apart by the planner, so they cost nothing.
create schema peer;

create view peer.projects as select project_id, slug, name from projects;
comment on view peer.projects is E'@primaryKey project_id\n@unique slug';

create view peer.templates as select slug, name from templates;
comment on view peer.templates is '@primaryKey slug';

create view peer.deployments as
select project_id, deployment_id, external_id, status, created_at, started_at, finished_at,
  duration_us, environment, network, template, framework, actor,
  1 as attempts,
  case when status = 2 then 1 else 0 end as succeeded,
  case when status = 3 then 1 else 0 end as failed,
  case when status = 5 then 1 else 0 end as rolled_back
from deployments;
comment on view peer.deployments is
  E'@primaryKey project_id,deployment_id\n'
  '@foreignKey (project_id) references projects (project_id)\n'
  '@foreignKey (template) references templates (slug)';

create view peer.deployment_events as
select project_id, deployment_id, occurred_at, event_id, type, duration_us
from deployment_events;
comment on view peer.deployment_events is
  E'@primaryKey project_id,occurred_at,event_id\n'
  '@foreignKey (project_id, deployment_id) references deployments (project_id, deployment_id)';
