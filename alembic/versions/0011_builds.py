"""Builds and their phases.

Revision ID: 0011
Revises: 0010
"""

from pathlib import Path

from alembic import op
from alembic.util import load_python_file

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

facts = load_python_file(str(Path(__file__).parents[1]), "facts.py")


def upgrade() -> None:
    facts.create_dictionary("phase", "phases")
    facts.create_entity(
        "build",
        dimensions=("environment", "template", "framework"),
        columns={
            "deployment": "text",
            "branch": "text",
            "commit": "text",
            "error": "text",
            "asset_count": "integer",
            "total_bytes": "bigint",
            "cpu_ms": "bigint",
            "memory_bytes": "bigint",
            "attributes": "jsonb",
        },
        counts=(
            *("attempts", "queued", "succeeded", "failed", "cancelled"),
            *("finishes", "finishes_succeeded", "finishes_failed", "finishes_cancelled"),
        ),
    )
    op.execute("create index builds_deployment_idx on builds (project_id, deployment)")
    facts.create_append(
        "build_phase",
        dimensions=("phase", "environment", "template", "framework"),
        columns={
            "template": "text",
            "build_id": "uuid not null",
            "duration_us": "bigint",
            "status": "smallint not null",
        },
        counts=("runs", "failed"),
        indexed="build_id",
    )


def downgrade() -> None:
    facts.drop_append("build_phase")
    facts.drop_entity("build")
    facts.drop_dictionary("phases")
