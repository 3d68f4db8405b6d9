"""Makes HTTP responses: compressed where that pays, 304 where the client has the same already."""

import asyncio
import re
import zlib
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response

from gateway.http.errors import UnsupportedEncoding
from gateway.http.negotiation import qualities
from ingest.bodies import decoded

# Smaller bodies fit into a packet or two anyway.
COMPRESSED_FROM_BYTES = 1024
# Larger bodies are compressed in a thread, so that other requests do not wait.
THREAD_FROM_BYTES = 64 * 1024
# The fastest level: higher ones take several times as long to save a few per cent.
LEVEL = 1
REQUEST_ENCODINGS = ("gzip", "x-gzip", "deflate")

VARY: Final = "Accept, Authorization, Accept-Encoding"
NOT_CACHED: Final = {"vary": VARY, "cache-control": "no-store"}
REVALIDATED: Final = {"vary": VARY, "cache-control": "private, no-cache"}

_GZIP = 16 + zlib.MAX_WBITS
_TAG_BYTES = 16
_TAG = re.compile(r'"[^"]*"')


def plain_body(headers: Headers, body: bytes, limit_bytes: int) -> bytes:
    """Decompress a request's body; the limit of its size applies again."""
    encoding = ",".join(headers.getlist("content-encoding")).strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in REQUEST_ENCODINGS:  # one only, as layers multiply the size
        raise UnsupportedEncoding("Send the request plain, or compressed with gzip or deflate.")
    return decoded(body, encoding, limit_bytes)


async def compressed_response(
    request_headers: Headers, body: bytes, status: int, headers: Mapping[str, str]
) -> Response:
    """The response to a POST, compressed if the client accepts it."""
    if not takes_gzip(request_headers, len(body)):
        return Response(body, status, headers=headers)
    return Response(await gzipped(body), status, headers={**headers, "content-encoding": "gzip"})


async def cacheable_response(
    request_headers: Headers, body: bytes, headers: Mapping[str, str]
) -> Response:
    """The response to a successful GET; 304 if the client has the same body already."""
    is_gzip = takes_gzip(request_headers, len(body))
    tag = tag_of(body, headers["content-type"], "-gzip" if is_gzip else "")
    own_headers = {**headers, **REVALIDATED, "etag": tag}
    if is_named(tag, ",".join(request_headers.getlist("if-none-match"))):
        del own_headers["content-type"]
        return Response(status_code=304, headers=own_headers)
    return await compressed_response(request_headers, body, 200, own_headers)


def takes_gzip(request_headers: Headers, size_bytes: int) -> bool:
    """Whether to compress: the client prefers gzip for a large body, or accepts nothing else."""
    header = request_headers.get("accept-encoding")
    if header is None or (size_bytes < COMPRESSED_FROM_BYTES and "0" not in header):
        return False
    accepted = qualities(",".join(request_headers.getlist("accept-encoding")))
    rest = accepted.get("*", 0.0)
    gzip = accepted.get("gzip", accepted.get("x-gzip", rest))
    plain = accepted.get("identity", rest if "*" in accepted and rest == 0.0 else None)
    if size_bytes < COMPRESSED_FROM_BYTES:
        return gzip > 0.0 and plain == 0.0
    return gzip > 0.0 and gzip >= (plain or 0.0)


def tag_of(body: bytes, content_type: str, suffix: str = "") -> str:
    """A strong entity tag of the bytes, the media type and the encoding."""
    digest = blake2b(
        body, digest_size=_TAG_BYTES, key=content_type.encode()[: blake2b.MAX_KEY_SIZE]
    )
    return f'"{digest.hexdigest()}{suffix}"'


def is_named(tag: str, if_none_match: str) -> bool:
    """Whether If-None-Match holds the tag, weak or strong, or `*`."""
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)


async def gzipped(body: bytes) -> bytes:
    if len(body) < THREAD_FROM_BYTES:
        return zlib.compress(body, LEVEL, _GZIP)
    return await asyncio.to_thread(zlib.compress, body, LEVEL, _GZIP)
