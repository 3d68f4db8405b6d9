"""Sends an answer: compressed where that pays, and not at all to a client that has it already."""

import asyncio
import re
import zlib
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response

from gateway.graphql.answers.negotiation import quality
from gateway.http.errors import UnsupportedEncoding
from gateway.middleware.body_limits import BODY_BYTES
from ingest.bodies import decoded

# Below this an answer fits into a packet or two anyway.
COMPRESSED_FROM_BYTES = 1024
# Above this, compressing takes longer than other requests should wait.
COMPRESSED_ASIDE_FROM_BYTES = 64 * 1024
# The fastest level: the next ones take a multiple of its time for a few per cent.
LEVEL = 1
MAX_ENCODINGS = 20
REQUEST_ENCODINGS = ("gzip", "x-gzip", "deflate")

VARY: Final = "Accept, Authorization, Accept-Encoding"
KEPT_BY_NOBODY: Final = {"vary": VARY, "cache-control": "no-store"}
KEPT_BY_ITS_CLIENT: Final = {"vary": VARY, "cache-control": "private, no-cache"}

_GZIP = 16 + zlib.MAX_WBITS
_TAG_BYTES = 16
_TAG = re.compile(r'"[^"]*"')


def plain_body(headers: Headers, body: bytes) -> bytes:
    """A request's body without its compression, held to the same limit again."""
    encoding = ",".join(headers.getlist("content-encoding")).strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in REQUEST_ENCODINGS:  # one only: many layers would cost more than they weigh
        raise UnsupportedEncoding("Send the request plain, or compressed with gzip or deflate.")
    return decoded(body, encoding, BODY_BYTES["/graphql"])


async def compressed_response(
    asked: Headers, body: bytes, status: int, headers: Mapping[str, str]
) -> Response:
    """The answer to a POST."""
    if not takes_gzip(asked, len(body)):
        return Response(body, status, headers=headers)
    return Response(await gzipped(body), status, headers={**headers, "content-encoding": "gzip"})


async def cacheable_response(asked: Headers, body: bytes, headers: Mapping[str, str]) -> Response:
    """The answer to a GET that succeeded; 304 where the client names it as the one it has."""
    is_gzip = takes_gzip(asked, len(body))
    tag = tag_of(body, headers["content-type"], "-gzip" if is_gzip else "")
    headers = {**headers, **KEPT_BY_ITS_CLIENT, "etag": tag}
    if is_named(tag, ",".join(asked.getlist("if-none-match"))):
        return Response(status_code=304, headers=_without_content(headers))
    return await compressed_response(asked, body, 200, headers)


def takes_gzip(asked: Headers, size_bytes: int) -> bool:
    """Whether the client takes gzip, and there is enough to compress or it takes nothing else."""
    accepted = asked.get("accept-encoding")
    if accepted is None or (size_bytes < COMPRESSED_FROM_BYTES and "0" not in accepted):
        return False
    qualities = _qualities(",".join(asked.getlist("accept-encoding")))
    rest = qualities.get("*", 0.0)
    gzip = qualities.get("gzip", qualities.get("x-gzip", rest))
    plain = qualities.get("identity", rest if "*" in qualities and rest == 0.0 else None)
    if size_bytes < COMPRESSED_FROM_BYTES:
        return gzip > 0.0 and plain == 0.0
    return gzip > 0.0 and gzip >= (plain or 0.0)


def tag_of(body: bytes, content_type: str, suffix: str = "") -> str:
    """A strong entity tag: another for other bytes, another media type or another encoding."""
    digest = blake2b(
        body, digest_size=_TAG_BYTES, key=content_type.encode()[: blake2b.MAX_KEY_SIZE]
    )
    return f'"{digest.hexdigest()}{suffix}"'


def is_named(tag: str, if_none_match: str) -> bool:
    """Whether If-None-Match names the tag, weakly or strongly, or any with `*`."""
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)


async def gzipped(body: bytes) -> bytes:
    if len(body) < COMPRESSED_ASIDE_FROM_BYTES:
        return zlib.compress(body, LEVEL, _GZIP)
    return await asyncio.to_thread(zlib.compress, body, LEVEL, _GZIP)


def _without_content(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "content-type"}


def _qualities(accepted: str) -> dict[str, float]:
    qualities: dict[str, float] = {}
    for part in accepted.lower().split(",", MAX_ENCODINGS)[:MAX_ENCODINGS]:
        name, *parameters = part.split(";")
        qualities[name.strip()] = quality(parameters)
    return qualities
