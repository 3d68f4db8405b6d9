"""Errors: occurrences, their groups and bodies; releases and commits of deployments.

Revision ID: 0014
Revises: 0013
"""

from pathlib import Path

from alembic import op
from alembic.util import load_python_file

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

facts = load_python_file(str(Path(__file__).parents[1]), "facts.py")

GIVEN = ("release", "commit", "repository")

TABLES = (
    """
create table errors (
  project_id bigint not null, error_id uuid not null,
  title text not null, error_type text, culprit text, severity smallint not null, platform text,
  first_at timestamptz not null, first_event_id uuid not null, first_release text,
  last_at timestamptz not null, last_event_id uuid not null, last_release text,
  occurrences bigint not null default 0, user_count integer not null default 0,
  status smallint not null default 0, decision smallint not null default 0,
  decided_at timestamptz, decided_by text, resolved_in text, resolved_after text,
  ignored_until timestamptz, ignored_count bigint, ignored_release text,
  regressed_at timestamptz, regressed_release text, regressions integer not null default 0,
  assigned_to text, merged_into uuid,
  constraint errors_pkey primary key (project_id, error_id)) with (fillfactor = 70)
""",
    "create index errors_last_idx on errors (project_id, last_at desc, error_id)",
    "create index errors_last_overall_idx on errors (last_at desc, project_id, error_id)",
    "create index errors_first_idx on errors (project_id, first_at desc, error_id)",
    "create index errors_count_idx on errors (project_id, occurrences desc, error_id)",
    "create index errors_ignored_idx on errors (ignored_until) where ignored_until is not null",
    """
create table error_fingerprints (
  project_id bigint not null, fingerprint_id uuid not null, error_id uuid not null,
  signature uuid not null, grouping jsonb not null,
  title text not null, error_type text, culprit text, severity smallint not null, platform text,
  first_at timestamptz not null, first_event_id uuid not null, first_release text,
  last_at timestamptz not null, last_event_id uuid not null, last_release text,
  occurrences bigint not null default 0, users bytea,
  sampled_on date, sampled_of integer not null default 0,
  constraint error_fingerprints_pkey primary key (project_id, fingerprint_id))
  with (fillfactor = 70)
""",
    "create index error_fingerprints_error_idx on error_fingerprints (project_id, error_id)",
    "create index error_fingerprints_signature_idx on error_fingerprints (signature)",
    """
create table error_facets (
  project_id bigint not null, fingerprint_id uuid not null, facet smallint not null,
  value text not null, occurrences bigint not null default 0,
  first_at timestamptz not null, last_at timestamptz not null,
  constraint error_facets_pkey primary key (project_id, fingerprint_id, facet, value))
  with (fillfactor = 70)
""",
    "create index error_facets_value_idx on error_facets (project_id, facet, value)",
    """
create table error_bodies (
  project_id bigint not null, occurred_at timestamptz not null, event_id uuid not null,
  fingerprint_id uuid not null, kept smallint not null, body jsonb not null,
  search tsvector not null,
  constraint error_bodies_pkey primary key (project_id, occurred_at, event_id))
  partition by range (occurred_at)
""",
    "create index error_bodies_fingerprint_idx on error_bodies"
    " (project_id, fingerprint_id, occurred_at desc)",
    "create index error_bodies_last_idx on error_bodies (project_id, fingerprint_id)"
    " where kept = 1",
    "create index error_bodies_search_idx on error_bodies using gin (search)",
    """
create table error_comments (
  project_id bigint not null, error_id uuid not null, comment_id uuid not null,
  author text not null, text text not null, created_at timestamptz not null,
  constraint error_comments_pkey primary key (project_id, error_id, comment_id))
""",
    """
create table releases (
  project_id bigint not null, release text not null, first_at timestamptz not null,
  constraint releases_pkey primary key (project_id, release))
""",
)

DETACHED = """
do $$ declare detached text; begin
  for detached in select relname from pg_class
    where relkind = 'r' and not relispartition and relname ~ '^deployment_events_[0-9]{{6,8}}$'
  loop
    execute format('alter table %I add column if not exists {column} text', detached);
  end loop;
end $$
"""

COUNTS = """
create table {table} (
  project_id bigint not null, fingerprint_id uuid not null, bucket timestamptz not null,
  series_id integer not null, occurrences integer not null default 0,
  constraint {table}_pkey primary key (project_id, fingerprint_id, bucket, series_id))
  with (fillfactor = 70)
"""


def upgrade() -> None:
    for column in GIVEN:
        op.execute(f"alter table deployments add column {column} text")
        op.execute(f"alter table deployment_events add column {column} text")
        # Detached partitions wait for their archive, which reads the same columns.
        op.execute(DETACHED.format(column=column))
    op.execute(
        "create index deployments_release_idx on deployments (project_id, release, created_at desc)"
    )
    facts.create_dictionary("error_type", "error_types")
    facts.create_dictionary("severity", "severities")
    facts.create_append(
        "error_occurrence",
        dimensions=("error_type", "severity", "environment", "network", "template"),
        columns={
            "network": "text",
            "template": "text",
            "fingerprint_id": "uuid not null",
            "user_key": "bigint",
            "release": "text",
            "function": "text",
            "deployment_id": "uuid",
        },
        counts=("occurrences",),
        indexed="fingerprint_id",
        timed=False,
    )
    for statement in TABLES:
        op.execute(statement)
    for table in ("error_hours", "error_days"):
        op.execute(COUNTS.format(table=table))
        op.execute(f"create index {table}_bucket_idx on {table} (project_id, bucket)")


def downgrade() -> None:
    op.execute(
        "drop table errors, error_fingerprints, error_facets, error_bodies, error_comments,"
        " releases, error_hours, error_days"
    )
    facts.drop_append("error_occurrence")
    facts.drop_dictionary("severities")
    facts.drop_dictionary("error_types")
    op.execute("drop index deployments_release_idx")
    for column in GIVEN:
        op.execute(f"alter table deployment_events drop column {column}")
        op.execute(f"alter table deployments drop column {column}")
