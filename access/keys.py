"""The public keys of an identity provider: fetched when needed, cached, and renewed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
import orjson

from storage.errors import Unavailable

# Keys of other algorithms are ignored; none of these signs with a shared secret.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
MAX_KEYS = 100

MIN_FRESH_SECONDS = 60.0
MAX_FRESH_SECONDS = 3600.0
DEFAULT_FRESH_SECONDS = 600.0
# A token with an unknown key causes a fetch, at most once in this time.
REFETCH_SECONDS = 30.0
# While the provider is unavailable, its last keys stay valid for this time.
STALE_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class KeyServerResponse:
    """The body of a provider's response, and its max-age."""

    body: bytes
    max_age_seconds: float | None = None


class KeysUnreadable(Exception):  # noqa: N818 - logged, never shown to a caller
    """The provider is unavailable, or its response is not a key set."""


Fetch = Callable[[], Awaitable[KeyServerResponse]]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and its only algorithm."""

    key_id: str | None
    algorithm: str
    key: Any


class KeySet:
    """The keys of one provider."""

    def __init__(
        self,
        fetch: Fetch,
        monotonic: Callable[[], float],
        on_failure: Callable[[Exception], None] = lambda _error: None,
    ) -> None:
        self._fetch = fetch
        self._monotonic = monotonic
        self._on_failure = on_failure
        self._keys: Sequence[PublicKey] = ()
        self._fresh_until = float("-inf")
        self._usable_until = float("-inf")
        self._fetched_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def candidates(self, key_id: str | None, algorithm: str) -> Sequence[PublicKey]:
        """Returns the keys that a token may be signed with; raises Unavailable without any keys."""
        now = self._monotonic()
        matching = self._matching(key_id, algorithm) if now < self._usable_until else ()
        if now >= self._fresh_until or not matching:
            fetching = self._start_fetch(now)
            # Usable keys do not wait; a cancelled caller leaves the fetch to the others.
            if fetching is not None and not matching:
                await asyncio.shield(fetching)
        if self._monotonic() >= self._usable_until:
            raise Unavailable("The identity provider's keys are unavailable: try again later.")
        return self._matching(key_id, algorithm)

    def _matching(self, key_id: str | None, algorithm: str) -> Sequence[PublicKey]:
        return [
            key
            for key in self._keys
            if key.algorithm == algorithm and (key_id is None or key.key_id in (None, key_id))
        ]

    def _start_fetch(self, now: float) -> asyncio.Task[None] | None:
        """Starts a fetch, or returns the running one; None shortly after the last one."""
        if self._fetching is None and now - self._fetched_at >= REFETCH_SECONDS:
            self._fetched_at = now
            self._fetching = asyncio.create_task(self._renew(), name="fetch-keys")
        return self._fetching

    async def _renew(self) -> None:
        try:
            fetched = await self._fetch()
            self._keys = read_keys(fetched.body)
        except KeysUnreadable as error:
            self._on_failure(error)
        else:
            max_age = fetched.max_age_seconds
            fresh = DEFAULT_FRESH_SECONDS if max_age is None else max_age
            now = self._monotonic()
            self._fresh_until = now + min(max(fresh, MIN_FRESH_SECONDS), MAX_FRESH_SECONDS)
            self._usable_until = now + STALE_SECONDS
        finally:
            self._fetching = None


def read_keys(body: bytes) -> list[PublicKey]:
    """Returns the usable keys of a JSON Web Key Set (RFC 7517); raises KeysUnreadable."""
    try:
        members = orjson.loads(body)["keys"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise KeysUnreadable("the response is not a JSON Web Key Set") from None
    if not isinstance(members, list):
        raise KeysUnreadable("the response is not a JSON Web Key Set")
    found = (_public_key(member) for member in members[:MAX_KEYS])
    return [key for key in found if key is not None]


def _public_key(member: Any) -> PublicKey | None:
    """Returns a key that verifies signatures by one of ALGORITHMS; None for any other key."""
    if not isinstance(member, Mapping) or not _is_for_signatures(member):
        return None
    try:
        key = jwt.PyJWK(dict(member))
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError, NotImplementedError):
        return None
    key_id = member.get("kid")
    if key.algorithm_name not in ALGORITHMS or not isinstance(key_id, str | None):
        return None
    return PublicKey(key_id, key.algorithm_name, key.key)


def _is_for_signatures(member: Mapping[str, Any]) -> bool:
    operations = member.get("key_ops", ["verify"])
    return (
        member.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and ("verify" in operations)
    )
