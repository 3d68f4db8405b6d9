"""Every table there is: what migrations are compared with."""

from storage import (
    audit,
    counters,
    dimensions,
    leases,
    rate_limits,
    reassignment,
    series,
    service_tokens,
    trusted_documents,
)
from storage.facts import deployments, services
from storage.metadata import metadata
from storage.rollups import tables as rollups

__all__ = [
    "audit",
    "counters",
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
]
