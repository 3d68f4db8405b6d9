"""Certificates of domains.

Revision ID: 0023
Revises: 0022
"""

from pathlib import Path

from alembic import op
from alembic.util import load_python_file

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

facts = load_python_file(str(Path(__file__).parents[1]), "facts.py")


def upgrade() -> None:
    facts.create_dictionary("domain", "domains")
    facts.create_dictionary("issuer", "issuers")
    facts.create_entity(
        "certificate",
        dimensions=("domain", "issuer", "environment"),
        columns={
            "not_before": "timestamptz",
            "not_after": "timestamptz",
            "error": "text",
            "attributes": "jsonb",
        },
        counts=(
            *("attempts", "requested", "issued", "renewed", "failed", "removed"),
            *(f"finishes{end}" for end in ("", "_issued", "_renewed", "_failed")),
        ),
        minutes_by_day=False,
    )
    op.execute(
        "create index certificates_expiry_idx"
        " on certificates (project_id, not_after desc, certificate_id)"
    )
    op.execute(
        "create index certificates_domain_idx on certificates (project_id, domain, finished_at)"
    )


def downgrade() -> None:
    facts.drop_entity("certificate")
    facts.drop_dictionary("issuers")
    facts.drop_dictionary("domains")
