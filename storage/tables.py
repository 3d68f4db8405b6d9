"""Every table there is: what migrations are compared with."""

from storage import (
    audit,
    dimensions,
    leases,
    rate_limits,
    reassignment,
    series,
    service_tokens,
    trusted_documents,
    versions,
)
from storage.facts import deployments, services
from storage.metadata import metadata
from storage.rollups import tables as rollups

__all__ = [
    "audit",
    "deployments",
    "dimensions",
    "leases",
    "metadata",
    "rate_limits",
    "reassignment",
    "rollups",
    "series",
    "service_tokens",
    "services",
    "trusted_documents",
    "versions",
]
