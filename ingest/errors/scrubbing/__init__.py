"""Removes secrets and personal data from the bodies and texts of errors."""

from ingest.errors.scrubbing.events import (
    NO_RULES,
    Rules,
    hashed_user,
    scrub,
    scrub_name,
    scrub_text,
)

__all__ = ["NO_RULES", "Rules", "hashed_user", "scrub", "scrub_name", "scrub_text"]
