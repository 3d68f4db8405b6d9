"""Requests that the gateway sends by itself, each to an address that was judged just before."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import NamedTuple

import httpx

from access.destinations import Destinations

# Of an answer, only so much is read.
ANSWER_BYTES = 2_000


class Answer(NamedTuple):
    """What the receiver answered; `retry_after_seconds` where it says when to come again."""

    status: int
    retry_after_seconds: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Sends requests; one takes at most `timeout_seconds` in all."""

    destinations: Destinations = field(default_factory=Destinations)
    timeout_seconds: float = 10.0
    # Made once: it reads the certificates of all authorities.
    tls: ssl.SSLContext = field(default_factory=partial(httpx.create_ssl_context, trust_env=False))

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Returns the answer, whatever its status. Redirects are not followed.

        Raises DestinationError, OSError (also TimeoutError), UnicodeError for what is no host,
        httpx.HTTPError or httpx.InvalidURL.
        """
        return await self._send("POST", url, headers, body)

    async def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Returns the answer, and raises, as `post` does."""
        return await self._send("GET", url, headers, None)

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        target = httpx.URL(url)
        async with asyncio.timeout(self.timeout_seconds):
            address = await self.destinations.address(url)
            async with (
                httpx.AsyncClient(
                    verify=self.tls,
                    timeout=self.timeout_seconds,
                    follow_redirects=False,
                    trust_env=False,
                ) as client,
                # By address, so that no second look-up can lead elsewhere; TLS checks the name.
                client.stream(
                    method,
                    target.copy_with(host=address),
                    headers={**headers, "host": target.netloc.decode()},
                    content=body,
                    extensions={"sni_hostname": target.raw_host.decode()},
                ) as response,
            ):
                again = wished_seconds(response.headers.get("retry-after"))
                return Answer(response.status_code, again, await _beginning(response))


async def _beginning(response: httpx.Response) -> str:
    """The first bytes of a body as text."""
    found = b""
    async for part in response.aiter_raw(ANSWER_BYTES):
        found += part
        if len(found) >= ANSWER_BYTES:
            break
    return found[:ANSWER_BYTES].decode("utf-8", "replace")


def wished_seconds(text: str | None) -> float | None:
    """The wait that Retry-After asks for, in seconds or as a date."""
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
