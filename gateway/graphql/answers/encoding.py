"""Encodes responses as JSON, with the times that compiled completion leaves as they are."""

import json
from datetime import datetime
from typing import Any

import orjson

from schema.scalars import write_date_time


def encode(body: Any) -> bytes:
    """Encode a response; times in UTC are written like the DateTime scalar."""
    try:
        return orjson.dumps(body, option=orjson.OPT_UTC_Z)
    except TypeError:  # an integer of more than 64 bits, or a lone surrogate
        return json.dumps(body, ensure_ascii=True, allow_nan=False, default=_text).encode()


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return write_date_time(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")
