"""API calls.

Revision ID: 0013
Revises: 0012
"""

from pathlib import Path

from alembic.util import load_python_file

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

facts = load_python_file(str(Path(__file__).parents[1]), "facts.py")


def upgrade() -> None:
    facts.create_dictionary("endpoint", "endpoints")
    facts.create_dictionary("method", "methods")
    facts.create_append(
        "api_call",
        dimensions=("endpoint", "environment", "method"),
        columns={
            "duration_us": "bigint",
            "response_bytes": "bigint",
            "status": "smallint not null",
            "actor": "text",
        },
        counts=("calls", "client_errors", "server_errors"),
    )


def downgrade() -> None:
    facts.drop_append("api_call")
    facts.drop_dictionary("methods")
    facts.drop_dictionary("endpoints")
