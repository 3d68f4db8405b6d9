"""Writes an answer as JSON; compiled completion leaves times to it."""

import json
from datetime import datetime
from typing import Any

import orjson

from schema.scalars import write_date_time


def encode(body: Any) -> bytes:
    """The bytes of an answer; times in UTC are written as the DateTime scalar writes them."""
    try:
        return orjson.dumps(body, option=orjson.OPT_UTC_Z)
    except TypeError:  # a whole number over 64 bits, or text that no UTF-8 can carry
        return json.dumps(body, ensure_ascii=True, allow_nan=False, default=_text).encode()


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return write_date_time(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")
