"""Stable ids: a UUID stays unchanged, any other text becomes a UUIDv5 within its project."""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

import orjson

# Changing this changes the identity of every event ever sent.
ROOT = UUID("6f1f2b7e-52a5-5d0c-9f1e-0c7f6f3f5a10")

_UUID_LENGTH = 36
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# RFC 9562: four bits of version after the 48 bits of time, two bits of variant after 12 more.
_FIXED_BITS = 0xF << 76 | 0b11 << 62
_VERSION_7_AND_VARIANT = 0x7 << 76 | 0b10 << 62


@lru_cache(maxsize=4096)
def project_namespace(slug: str) -> UUID:
    """The namespace of a project's UUIDs."""
    return uuid5(ROOT, slug)


def as_uuid(text: str) -> UUID | None:
    """The UUID in a text of the usual form, else None."""
    if len(text) != _UUID_LENGTH or not _UUID(text):
        return None
    return UUID(text)


def entity_uuid(project: str, external_id: str) -> UUID:
    """The id of an entity of a project."""
    return as_uuid(external_id) or uuid5(project_namespace(project), external_id)


def event_uuid(project: str, source: str | None, event_id: str) -> UUID:
    """The id of an event that is unique within its source."""
    return uuid5(project_namespace(project), f"event\n{source or ''}\n{event_id}")


def content_uuid(project: str, content: Mapping[str, Any]) -> UUID:
    """The id of an event without one: the same content gives the same id."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    canonical = orjson.dumps(content, default=str, option=options)  # a decimal as text
    return uuid5(project_namespace(project), "content\n" + canonical.decode())


def uuid7(now: datetime) -> UUID:
    """A new random UUID that begins with the time, to the millisecond."""
    milliseconds = (now - _EPOCH) // _MILLISECOND
    random_bits = int.from_bytes(os.urandom(10))
    value = milliseconds << 80 | random_bits & ~_FIXED_BITS | _VERSION_7_AND_VARIANT
    return UUID(int=value)


def uuid7_time(value: UUID) -> datetime | None:
    """The time inside a UUIDv7, to the millisecond."""
    if value.version != 7:
        return None
    try:
        return _EPOCH + (value.int >> 80) * _MILLISECOND
    except OverflowError:
        return None
