"""Finds the public key of a DSN in a request of a Sentry SDK."""

import re
from collections.abc import Mapping
from typing import Any

from access.dsn import Dsn

_PAIR = re.compile(r"sentry_key\s*=\s*\"?([^\s,;\"]+)", re.IGNORECASE)
_SCHEME = re.compile(r"\s*sentry\s", re.IGNORECASE)


def key_of_request(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """The key of `X-Sentry-Auth`, `Authorization: Sentry …` or `?sentry_key=`, in this order."""
    given = headers.get("x-sentry-auth")
    authorization = headers.get("authorization", "")
    if given is None and _SCHEME.match(authorization):
        given = authorization
    match = _PAIR.search(given) if given is not None else None
    key = match[1] if match else query.get("sentry_key")
    return _plain(key) if key else None


def key_of_envelope(header: Mapping[str, Any]) -> str | None:
    """The key of the `dsn` in an envelope's header."""
    text = header.get("dsn")
    try:
        return _plain(Dsn.parse(text).public_key) if isinstance(text, str) else None
    except ValueError:
        return None


def _plain(key: str) -> str:
    """The public key alone: old SDKs write `public:secret`."""
    return key.partition(":")[0].lower()
