"""Decompresses the content encodings of HTTP, each within a limit of bytes."""

import zlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import brotli
import zstandard

from storage.errors import InvalidInput

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_CHUNK_BYTES = 1 << 14
# A block of four bytes may stand for 128 KiB, and the library returns all that a chunk stands for.
_ZSTD_CHUNK_BYTES = 256
_ZSTD_WINDOW_BYTES = 8 << 20  # the most that RFC 9659 allows for HTTP
# Each stream of several in one body takes time to set up.
_MAX_ZSTD_FRAMES = 1000

# Takes a body and a limit; returns at most one byte more than the limit. Raises InvalidInput.
Decompress = Callable[[bytes, int], bytes]


class _Stream(Protocol):
    """A stream of a library that ends by itself, and leaves what comes after."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


def _inflated(body: bytes, limit_bytes: int) -> bytes:
    """All members of a gzip stream, or a zlib stream."""
    return _concatenated(
        body,
        limit_bytes,
        _CHUNK_BYTES,
        lambda: zlib.decompressobj(_GZIP_OR_ZLIB),
        lambda stream, data, room: stream.decompress(data, room),
    )


def _unzstandard(body: bytes, limit_bytes: int) -> bytes:
    """All frames of a zstd body."""
    library = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    frames = 0

    def frame() -> _Stream:
        nonlocal frames
        frames += 1
        if frames > _MAX_ZSTD_FRAMES:
            raise InvalidInput(f"The compressed body has more than {_MAX_ZSTD_FRAMES} frames.")
        return library.decompressobj()

    return _concatenated(
        body, limit_bytes, _ZSTD_CHUNK_BYTES, frame, lambda stream, data, _: stream.decompress(data)
    )


def _concatenated(
    body: bytes,
    limit_bytes: int,
    chunk_bytes: int,
    new_stream: Callable[[], _Stream],
    more: Callable[[Any, bytes, int], bytes],
) -> bytes:
    """Decompresses streams that follow one another; stops beyond the limit."""
    found = bytearray()
    stream = new_stream()
    # In chunks, since each stream copies the rest of its input.
    for start in range(0, len(body), chunk_bytes):
        rest = body[start : start + chunk_bytes]
        while rest and len(found) <= limit_bytes:
            if stream.eof:
                stream = new_stream()
            try:
                found += more(stream, rest, limit_bytes + 1 - len(found))
            except (zlib.error, zstandard.ZstdError) as error:
                raise _damaged() from error
            rest = stream.unused_data
        if len(found) > limit_bytes:
            break
    if body and not stream.eof and len(found) <= limit_bytes:
        raise _cut()
    return bytes(found[: limit_bytes + 1])


def _unbrotli(body: bytes, limit_bytes: int) -> bytes:
    """A brotli stream."""
    found = bytearray()
    stream = brotli.Decompressor()
    data = body
    try:
        while len(found) <= limit_bytes:
            part = stream.process(data, output_buffer_limit=limit_bytes + 1 - len(found))
            data = b""
            found += part
            if stream.is_finished() or (not part and stream.can_accept_more_data()):
                break
    except brotli.error as error:
        raise _damaged() from error
    if body and not stream.is_finished() and len(found) <= limit_bytes:
        raise _cut()
    return bytes(found[: limit_bytes + 1])


def _damaged() -> InvalidInput:
    return InvalidInput("The compressed body is damaged.")


def _cut() -> InvalidInput:
    return InvalidInput("The compressed body ends too early.")


DECOMPRESSORS: Mapping[str, Decompress] = {
    "gzip": _inflated,
    "x-gzip": _inflated,
    "deflate": _inflated,
    "br": _unbrotli,
    "zstd": _unzstandard,
}
