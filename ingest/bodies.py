"""Reads request bodies: limited decompression, and JSON that one bad event does not spoil."""

import json
from typing import Any

import orjson

from ingest.decompression import DECOMPRESSORS, Decompress
from ingest.events import MAX_BODY_BYTES
from storage.errors import InvalidInput, TooLarge

# Each further layer multiplies the work that a small body asks for.
_MAX_LAYERS = 2


def decoded(body: bytes, encoding: str, limit_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Decompresses a body; raises TooLarge as soon as it exceeds the limit."""
    for decompress in _layers(encoding):
        body = decompress(body, limit_bytes)
        if len(body) > limit_bytes:
            break
    if len(body) > limit_bytes:
        raise TooLarge(
            f"The body is larger than {limit_bytes} bytes after decompression.", limit="body_bytes"
        )
    return body


def beginning(body: bytes, encoding: str, size_bytes: int) -> bytes:
    """Decompresses the first bytes of a body, of which more may be still to come."""
    for decompress in _layers(encoding):
        body = decompress(body, size_bytes)
    return body


def _layers(encoding: str) -> list[Decompress]:
    """What decompresses a body of this encoding, in turn; raises InvalidInput."""
    names = [name for part in encoding.split(",") if (name := part.strip().lower())]
    layers = [name for name in names if name != "identity"]
    if len(layers) > _MAX_LAYERS:
        raise InvalidInput(f"A body has at most {_MAX_LAYERS} content encodings.")
    for name in layers:
        if name not in DECOMPRESSORS:
            raise InvalidInput(
                f"The content encoding {name[:40]!r} is not supported; use gzip, deflate, br or "
                "zstd."
            )
    return [DECOMPRESSORS[name] for name in reversed(layers)]


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
