"""The public keys of an identity provider: fetched when needed, kept a while, replaced in turn."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
import orjson

from storage.errors import Unavailable

# Of these alone is a key taken; what signs with a shared secret is never among them.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
KEYS_AT_MOST = 100

SHORTEST_SECONDS = 60.0
LONGEST_SECONDS = 3600.0
USUAL_SECONDS = 600.0
# A token with a key nobody knows asks for the keys again, but not more often than this.
REFETCH_SECONDS = 30.0
# While the provider is away its last keys are believed for so long.
BELIEVED_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a provider answered, and for how many seconds it says that holds."""

    body: bytes
    max_age_seconds: float | None = None


class KeysUnreadable(Exception):  # noqa: N818 - told in the log, never to a caller
    """The provider cannot be reached, or did not answer with keys."""


Fetch = Callable[[], Awaitable[Fetched]]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and the one algorithm it is for."""

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
        self._believed_until = float("-inf")
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def candidates(self, key_id: str | None, algorithm: str) -> Sequence[PublicKey]:
        """The keys a token may be signed with; raises Unavailable where none are known at all."""
        now = self._monotonic()
        matching = self._matching(key_id, algorithm) if now < self._believed_until else ()
        if now >= self._fresh_until or not matching:
            asking = self._ask(now)
            # Keys that are believed still are not waited for; one who leaves ends it for nobody.
            if asking is not None and not matching:
                await asyncio.shield(asking)
        if self._monotonic() >= self._believed_until:
            raise Unavailable("The keys that tokens are checked with cannot be reached.")
        return self._matching(key_id, algorithm)

    def _matching(self, key_id: str | None, algorithm: str) -> Sequence[PublicKey]:
        return [
            key
            for key in self._keys
            if key.algorithm == algorithm and (key_id is None or key.key_id in (None, key_id))
        ]

    def _ask(self, now: float) -> asyncio.Task[None] | None:
        """Fetch anew, unless that was just tried; whoever comes meanwhile shares it."""
        if self._asking is None and now - self._asked_at >= REFETCH_SECONDS:
            self._asked_at = now
            self._asking = asyncio.create_task(self._renew(), name="fetch-keys")
        return self._asking

    async def _renew(self) -> None:
        try:
            fetched = await self._fetch()
            self._keys = read_keys(fetched.body)
        except KeysUnreadable as error:
            self._on_failure(error)
        else:
            told = USUAL_SECONDS if fetched.max_age_seconds is None else fetched.max_age_seconds
            now = self._monotonic()
            self._fresh_until = now + min(max(told, SHORTEST_SECONDS), LONGEST_SECONDS)
            self._believed_until = now + BELIEVED_SECONDS
        finally:
            self._asking = None


def read_keys(body: bytes) -> list[PublicKey]:
    """The usable keys of a JSON Web Key Set (RFC 7517); raises KeysUnreadable for no set."""
    try:
        members = orjson.loads(body)["keys"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise KeysUnreadable("the answer is no JSON Web Key Set") from None
    if not isinstance(members, list):
        raise KeysUnreadable("the answer is no JSON Web Key Set")
    found = (_public_key(member) for member in members[:KEYS_AT_MOST])
    return [key for key in found if key is not None]


def _public_key(member: Any) -> PublicKey | None:
    """A key that verifies signatures by an algorithm of ours; others may be for other uses."""
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
