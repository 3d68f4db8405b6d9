"""Function invocations.

Revision ID: 0012
Revises: 0011
"""

from pathlib import Path

from alembic.util import load_python_file

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

facts = load_python_file(str(Path(__file__).parents[1]), "facts.py")


def upgrade() -> None:
    facts.create_dictionary("function", "functions")
    facts.create_dictionary("runtime", "runtimes")
    facts.create_dictionary("region", "regions")
    facts.create_append(
        "invocation",
        dimensions=("function", "environment", "runtime", "region"),
        columns={
            "duration_us": "bigint",
            "init_us": "bigint",
            "memory_bytes": "bigint",
            "failed": "boolean not null",
            "cold_start": "boolean not null",
            "error": "text",
        },
        counts=("invocations", "errors", "cold_starts"),
        paired=True,
    )


def downgrade() -> None:
    facts.drop_append("invocation")
    facts.drop_dictionary("regions")
    facts.drop_dictionary("runtimes")
    facts.drop_dictionary("functions")
