"""Fetches an identity provider's public keys over HTTPS."""

import asyncio
import re
from urllib.parse import urlsplit

import httpx

from access.keys import KeyServerResponse, KeysUnreadable
from gateway.http.addresses import LOOPBACK

TIMEOUT_SECONDS = 5.0
BODY_BYTES = 256 * 1024
# Uncompressed, so that the limit on bytes is also one on memory.
HEADERS = {"accept": "application/json", "accept-encoding": "identity"}

_MAX_AGE = re.compile(r"max-age=(\d{1,9})")


def url_fault(url: str) -> str | None:
    """Why keys may not be fetched from the URL, or None; http is allowed on this machine only."""
    parts = urlsplit(url)
    if not parts.hostname:
        return "is not a URL with a host"
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return None
    return "must begin with https:// (http:// is for addresses on this machine)"


async def fetch_keys(url: str) -> KeyServerResponse:
    """Fetch the key set as the provider sends it; raises KeysUnreadable."""
    try:
        async with (
            asyncio.timeout(TIMEOUT_SECONDS),
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
            client.stream("GET", url, headers=HEADERS) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise KeysUnreadable(f"the key server answered {response.status_code}")
            return KeyServerResponse(await _bounded(response), _max_age(response))
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise KeysUnreadable(f"the key server cannot be read: {type(error).__name__}") from None


async def _bounded(response: httpx.Response) -> bytes:
    """Read the body; raises KeysUnreadable if it is too long."""
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > BODY_BYTES:
            raise KeysUnreadable(f"the key server sent more than {BODY_BYTES} bytes")
    return bytes(body)


def _max_age(response: httpx.Response) -> float | None:
    found = _MAX_AGE.search(response.headers.get("cache-control", ""))
    return float(found[1]) if found else None
