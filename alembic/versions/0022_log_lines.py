"""Log lines: rows, texts, and how many came in each day.

Revision ID: 0022
Revises: 0021
"""

from pathlib import Path

from alembic import op
from alembic.util import load_python_file

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

facts = load_python_file(str(Path(__file__).parents[1]), "facts.py")

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")

TABLES = (
    "create index log_lines_trace_id_idx on log_lines (project_id, trace_id, occurred_at desc)"
    " where trace_id is not null",
    "create index log_lines_deployment_id_idx on log_lines"
    " (project_id, deployment_id, occurred_at desc) where deployment_id is not null",
    """
create table log_texts (
  project_id bigint not null, occurred_at timestamptz not null, event_id uuid not null,
  message text, fields jsonb, search tsvector not null,
  constraint log_texts_pkey primary key (project_id, occurred_at, event_id))
  partition by range (occurred_at)
""",
    "create index log_texts_search_idx on log_texts using gin (search)",
    """
create table log_days (
  project_id bigint not null, day timestamptz not null, problems boolean not null,
  lines bigint not null, constraint log_days_pkey primary key (project_id, day, problems))
""",
)


def upgrade() -> None:
    facts.create_dictionary("logger", "loggers")
    facts.create_append(
        "log_line",
        dimensions=("logger", "environment", "function"),
        columns={
            "level": "smallint not null",
            "trace_id": "text",
            "span_id": "text",
            "release": "text",
            "deployment_id": "uuid",
        },
        counts=("lines", *(f"{level}_lines" for level in LEVELS)),
        timed=False,
        minutes_by_day=False,
    )
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop table log_texts, log_days")
    facts.drop_append("log_line")
    facts.drop_dictionary("loggers")
