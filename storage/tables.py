"""Imports every module that defines tables, so that `metadata` has all of them."""

from storage import dimensions, kept_panels, members, reassignment
from storage.admin import (
    assigned_times,
    audit,
    dropped_events,
    project_keys,
    rate_limits,
    scrub_rules,
    service_tokens,
    source_maps,
    trusted_documents,
)
from storage.alerts import tables as alerts
from storage.error_groups import tables as error_groups
from storage.facts import FACTS, services
from storage.feed import counters
from storage.keeping import leases, partitions
from storage.log_lines import tables as log_lines
from storage.metadata import metadata
from storage.rollups import tables

__all__ = ["metadata"]
