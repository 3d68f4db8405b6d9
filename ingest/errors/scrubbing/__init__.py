"""Removes secrets and personal data from the bodies and texts of errors."""

from ingest.errors.scrubbing.names import wrong_name
from ingest.errors.scrubbing.patterns import wrong_pattern
from ingest.errors.scrubbing.scrub import (
    NO_RULES,
    Rules,
    scrub,
    scrub_name,
    scrub_text,
)
from ingest.errors.scrubbing.seen import is_distinct

__all__ = [
    "NO_RULES",
    "Rules",
    "is_distinct",
    "scrub",
    "scrub_name",
    "scrub_text",
    "wrong_name",
    "wrong_pattern",
]
