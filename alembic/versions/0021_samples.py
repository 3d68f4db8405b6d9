"""Samples.

Revision ID: 0021
Revises: 0020
"""

from pathlib import Path

from alembic.util import load_python_file

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

facts = load_python_file(str(Path(__file__).parents[1]), "facts.py")


def upgrade() -> None:
    facts.create_dictionary("metric", "metrics")
    facts.create_dictionary("label_set", "label_sets")
    facts.create_append(
        "sample",
        dimensions=("metric", "label_set", "environment"),
        columns={"value": "numeric not null"},
        counts=("count",),
        sums=("value",),
        peaks=("highest", "lowest", "latest", "last_metric", "first_metric"),
        timed=False,
        minutes_by_day=False,
    )


def downgrade() -> None:
    facts.drop_append("sample")
    facts.drop_dictionary("label_sets")
    facts.drop_dictionary("metrics")
