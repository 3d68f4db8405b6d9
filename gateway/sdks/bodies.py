"""The body of a request of an SDK, whose first bytes can be read before the rest."""

from math import inf

from starlette.requests import Request

from gateway.sdks.credentials import key_of_envelope
from ingest.bodies import beginning, decoded
from ingest.formats.sentry.envelope import MAX_HEADER_BYTES, envelope_header
from storage.errors import InvalidInput

# As sent. A whole block of zstd, the largest part that has to be there to be decompressed.
START_BYTES = 160 * 1024


class SentBody:
    """The body of a request, as it arrives."""

    def __init__(self, request: Request) -> None:
        self._chunks = request.stream()
        self._encoding = request.headers.get("content-encoding", "")
        self._sent = b""

    async def key(self) -> str | None:
        """The public key in the header of the envelope; reads no more than the first bytes."""
        sent = await self._read(START_BYTES)
        try:
            start = beginning(sent, self._encoding, MAX_HEADER_BYTES)
        except InvalidInput:
            return None
        return key_of_envelope(envelope_header(start))

    async def size_bytes(self) -> int:
        """The size of the whole body, as sent."""
        return len(await self._read())

    async def decoded(self) -> bytes:
        """The whole body, decompressed; raises InvalidInput or TooLarge."""
        return decoded(await self._read(), self._encoding)

    async def _read(self, enough_bytes: float = inf) -> bytes:
        """What has arrived, once it is enough or all."""
        parts, size = [self._sent], len(self._sent)
        while size < enough_bytes and (chunk := await anext(self._chunks, b"")):
            parts.append(chunk)
            size += len(chunk)
        self._sent = b"".join(parts)
        return self._sent
