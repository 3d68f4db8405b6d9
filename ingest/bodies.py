"""Reads request bodies: limited decompression, and JSON that one bad event does not spoil."""

import json
import zlib
from typing import Any

import orjson

from ingest.events import MAX_BODY_BYTES
from storage.errors import InvalidInput, TooLarge

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_CHUNK_BYTES = 1 << 14


def decoded(body: bytes, encoding: str, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Decompresses a body; raises TooLarge as soon as it exceeds the limit."""
    names = [name for part in encoding.split(",") if (name := part.strip().lower())]
    for name in reversed([name for name in names if name != "identity"]):
        if name not in ("gzip", "x-gzip", "deflate"):
            raise InvalidInput(f"The content encoding {name[:40]!r} is not supported; use gzip.")
        body = _inflated(body, limit_bytes)
        if len(body) > limit_bytes:
            break
    if len(body) > limit_bytes:
        raise TooLarge(
            f"The body is larger than {limit_bytes} bytes after decompression.", limit="body_bytes"
        )
    return body


def _inflated(body: bytes, limit_bytes: int) -> bytes:
    """Decompresses all members of a gzip stream; stops one byte beyond the limit."""
    inflated = bytearray()
    member = zlib.decompressobj(_GZIP_OR_ZLIB)
    # In chunks, since each member copies the rest of its input.
    for start in range(0, len(body), _CHUNK_BYTES):
        rest = body[start : start + _CHUNK_BYTES]
        while rest and len(inflated) <= limit_bytes:
            if member.eof:
                member = zlib.decompressobj(_GZIP_OR_ZLIB)
            try:
                inflated += member.decompress(rest, limit_bytes + 1 - len(inflated))
            except zlib.error as error:
                raise InvalidInput("The compressed body is damaged.") from error
            rest = member.unused_data
    if body and not member.eof and len(inflated) <= limit_bytes:
        raise InvalidInput("The compressed body ends too early.")
    return bytes(inflated)


def parsed(body: bytes) -> Any:
    """Parses the JSON value in a body.

    The fast parser rejects a whole text for half a surrogate pair, an infinity or a number too
    large for a float. The standard one accepts these, so that only their event is rejected.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _parsed_leniently(body, str(error))


def _parsed_leniently(body: bytes, reason: str) -> Any:
    try:
        text = body.decode("utf-8-sig")
        return json.loads(text)
    except RecursionError:
        raise InvalidInput("The JSON is nested too deeply.") from None
    except ValueError:
        raise InvalidInput(f"The body is not JSON: {reason}.") from None
