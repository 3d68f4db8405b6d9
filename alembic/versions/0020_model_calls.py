"""Calls of language models.

Revision ID: 0020
Revises: 0019
"""

from pathlib import Path

from alembic.util import load_python_file

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

facts = load_python_file(str(Path(__file__).parents[1]), "facts.py")


def upgrade() -> None:
    facts.create_dictionary("model", "models")
    facts.create_dictionary("task", "tasks")
    facts.create_append(
        "model_call",
        dimensions=("model", "task", "environment"),
        columns={
            "duration_us": "bigint",
            "input_tokens": "integer",
            "output_tokens": "integer",
            "accepted": "boolean",
        },
        counts=("calls", "decided", "accepted"),
        sums=("input_tokens", "output_tokens"),
        minutes_by_day=False,
    )


def downgrade() -> None:
    facts.drop_append("model_call")
    facts.drop_dictionary("tasks")
    facts.drop_dictionary("models")
