"""Every table there is: what migrations are compared with."""

from storage import dimensions, feed, leases, reassignment, series
from storage.facts import deployments, services
from storage.metadata import metadata
from storage.rollups import tables as rollups

__all__ = [
    "deployments",
    "dimensions",
    "feed",
    "leases",
    "metadata",
    "reassignment",
    "rollups",
    "series",
    "services",
]
