"""Reads an envelope: a line of JSON, then items of a line of JSON and a payload each.

A payload is as long as its header says, else it ends with its line. What cannot be read costs
itself alone: the items around it are found again.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from storage.errors import InvalidInput, LimitExceeded

MAX_ITEMS = 1_000
MAX_HEADER_BYTES = 16_384

# The keys of item headers. A line that has others is no header but a part of a payload.
_HEADER_KEYS = frozenset(
    {
        "type",
        "length",
        "content_type",
        "filename",
        "attachment_type",
        "item_count",
        "meta",
        "platform",
        "headers",
        "routing_hint",
        "sampled",
        "fully_sampled",
    }
)
_NEWLINE = b"\n"
_BLANK = re.compile(rb"[ \t\r\n]*").match


@dataclass(frozen=True, slots=True)
class Item:
    """An item; `payload` are its bytes. The type is empty where its header cannot be read."""

    type: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """The header of an envelope, and its items."""

    header: Mapping[str, Any]
    items: tuple[Item, ...]


def read_envelope(body: bytes) -> Envelope:
    """Raises InvalidInput if there is no header, LimitExceeded for too many items."""
    line, position = _line(body, _after_blank_lines(body, 0))
    header = _object(line)
    if header is None:
        raise InvalidInput("The first line of an envelope must be a JSON object.")
    items = []
    for item in _items(body, position):
        items.append(item)
        if len(items) > MAX_ITEMS:
            raise LimitExceeded(f"An envelope has at most {MAX_ITEMS} items.", limit="items")
    return Envelope(header, tuple(items))


def envelope_header(body: bytes) -> Mapping[str, Any]:
    """The header alone; empty where it cannot be read."""
    return _object(_line(body, _after_blank_lines(body, 0))[0]) or {}


def _items(body: bytes, position: int) -> Iterator[Item]:
    while (position := _after_blank_lines(body, position)) < len(body):
        line, after = _line(body, position)
        header = _object(line)
        if header is None or not isinstance(header.get("type"), str):
            yield Item("", line)
            position = _next_header(body, after)
            continue
        payload, position = _payload(body, after, header.get("length"))
        yield Item(header["type"], payload)


def _payload(body: bytes, start: int, length: object) -> tuple[bytes, int]:
    """The payload that starts here, and the position after it."""
    size = _size(length)
    if size is not None:
        end = start + size
        if end == len(body) or body[end : end + 1] == _NEWLINE or body[end : end + 2] == b"\r\n":
            return body[start:end], end
    # The length is missing or wrong.
    return _line(body, start)


def _size(length: object) -> int | None:
    if isinstance(length, str) and len(length) < 20 and length.isascii() and length.isdigit():
        return int(length)
    is_number = isinstance(length, int) and not isinstance(length, bool) and length >= 0
    return length if is_number else None  # type: ignore[return-value]


def _next_header(body: bytes, position: int) -> int:
    """The position of the next line that looks like the header of an item, or the end."""
    while position < len(body):
        line, after = _line(body, position)
        header = _object(line)
        if header is not None and _is_header(header):
            return position
        position = after
    return position


def _is_header(line: Mapping[str, Any]) -> bool:
    return isinstance(line.get("type"), str) and line.keys() <= _HEADER_KEYS


def _line(body: bytes, start: int) -> tuple[bytes, int]:
    """The line that starts here without its end, and the position after it."""
    end = body.find(_NEWLINE, start)
    if end < 0:
        return body[start:], len(body)
    return body[start:end], end + 1


def _after_blank_lines(body: bytes, position: int) -> int:
    match = _BLANK(body, position)
    assert match is not None  # it matches nothing too
    return match.end()


def _object(line: bytes) -> dict[str, Any] | None:
    """The object of a header's line, or None."""
    if len(line) > MAX_HEADER_BYTES:
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
