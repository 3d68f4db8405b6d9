"""Removes secrets and personal data from the bodies and texts of errors."""

from ingest.scrubbing.built_in import BUILT_IN
from ingest.scrubbing.names import wrong_name
from ingest.scrubbing.patterns import wrong_pattern
from ingest.scrubbing.scrub import (
    NO_RULES,
    Rules,
    scrub,
    scrub_name,
    scrub_text,
)
from ingest.scrubbing.seen import is_distinct

__all__ = [
    "BUILT_IN",
    "NO_RULES",
    "Rules",
    "is_distinct",
    "scrub",
    "scrub_name",
    "scrub_text",
    "wrong_name",
    "wrong_pattern",
]
