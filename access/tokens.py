"""JSON Web Tokens: issues them, and verifies one to get its Viewer."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from access.keys import ALGORITHMS as PUBLIC_ALGORITHMS
from access.keys import KeySet
from access.viewers import Role, Viewer
from storage.errors import Unauthenticated
from storage.names import can_be_stored
from storage.recent import Recent

# Fixed here, so that "none" is never accepted; a token never chooses its key's algorithm.
SHARED_ALGORITHM = "HS256"
REQUIRED_CLAIMS = ["exp", "sub"]
MAX_TOKEN_LENGTH = 16_384
CACHED_TOKENS = 4096
CACHE_SECONDS = 60.0
MAX_SECONDS = 1e12

# Gets a valid token's viewer and all of its claims, each time the token is read.
OnClaims = Callable[[Viewer, Mapping[str, Any]], None]


def issue(  # noqa: PLR0913 - the claims of a token, one by one
    secret: str,
    subject: str,
    roles: Iterable[Role],
    projects: Iterable[str],
    *,
    lifetime: timedelta,
    now: datetime,
    issuer: str,
    audience: str,
) -> str:
    """Returns a signed token."""
    claims = {
        "sub": subject,
        "iss": issuer,
        "aud": audience,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        "roles": sorted(role.value for role in roles),
        "projects": sorted(projects),
    }
    return jwt.encode(claims, secret, algorithm=SHARED_ALGORITHM)


@dataclass(frozen=True, slots=True)
class _Verified:
    viewer: Viewer
    valid_from: float
    expires_at: float
    cached_until: float


class TokenVerifier:
    """Verifies tokens against secrets (several while one is being replaced) and public keys."""

    def __init__(  # noqa: PLR0913 - what it trusts, one by one
        self,
        secrets: Sequence[str],
        issuer: str,
        audience: str,
        leeway: timedelta = timedelta(seconds=30),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        keys: KeySet | None = None,
        on_claims: OnClaims = lambda _viewer, _claims: None,
    ) -> None:
        if not secrets or not all(secrets):
            raise ValueError("a token verifier needs at least one secret")
        self._secrets = tuple(secrets)
        self._keys = keys
        self._on_claims = on_claims
        self._issuer = issuer
        self._audience = audience
        self._leeway_seconds = leeway.total_seconds()
        self._clock = clock
        self._cache = Recent[bytes, _Verified](CACHED_TOKENS)

    async def authenticate(self, token: str) -> Viewer:
        """Returns the token's viewer; raises Unauthenticated with a reason for the caller.

        Raises Unavailable if it needs public keys that cannot be fetched.
        """
        now, digest = self._clock().timestamp(), _digest(token)
        verified = self._cache.get(digest)
        if verified is None or verified.cached_until <= now:
            claims = await self._decode(token)
            read = _read(claims, now)
            if verified is not None and verified.viewer == read.viewer:
                # The same object, which many cached responses refer to.
                read = replace(read, viewer=verified.viewer)
            verified = self._cache[digest] = read
            viewer = self._viewer(verified, now)
            self._on_claims(viewer, claims)
            return viewer
        return self._viewer(verified, now)

    async def _decode(self, token: str) -> Mapping[str, Any]:
        """Returns the claims verified by the first matching key; one error for all mismatches."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise Unauthenticated("The token is too long.")
        algorithm, key_id = _header(token)
        for candidate in await self._candidates(algorithm, key_id):
            try:
                return self._claims(token, candidate, algorithm)
            except jwt.InvalidSignatureError:
                continue
            except jwt.InvalidTokenError as error:
                raise Unauthenticated(_reason(error)) from None
            except (ValueError, TypeError, RecursionError):
                # Input the library does not check for, such as lone surrogates.
                raise Unauthenticated("The token cannot be read.") from None
        raise Unauthenticated("The token's signature does not match.")

    async def _candidates(self, algorithm: str, key_id: str | None) -> Sequence[Any]:
        """Returns the secrets or public keys that a token of this header may be signed with."""
        if algorithm == SHARED_ALGORITHM:
            return self._secrets
        if self._keys is None or algorithm not in PUBLIC_ALGORITHMS:
            raise Unauthenticated("The token's algorithm is not accepted.")
        return [key.key for key in await self._keys.candidates(key_id, algorithm)]

    def _claims(self, token: str, key: Any, algorithm: str) -> Mapping[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=self._issuer,
            audience=self._audience,
            # _viewer checks the times, by the verifier's clock.
            options={
                "require": REQUIRED_CLAIMS,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )

    def _viewer(self, verified: _Verified, now: float) -> Viewer:
        if now >= verified.expires_at + self._leeway_seconds:
            raise Unauthenticated("The token has expired.")
        if now < verified.valid_from - self._leeway_seconds:
            raise Unauthenticated("The token is not valid yet.")
        return verified.viewer


def _read(claims: Mapping[str, Any], now: float) -> _Verified:
    return _Verified(
        viewer=_viewer(claims),
        valid_from=max(_seconds(claims, "nbf", 0.0), _seconds(claims, "iat", 0.0)),
        expires_at=_seconds(claims, "exp"),
        cached_until=now + CACHE_SECONDS,
    )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _header(token: str) -> tuple[str, str | None]:
    """Returns the algorithm and the key id of the token's header, which is not verified."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
        raise Unauthenticated("The token cannot be read.") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str):
        raise Unauthenticated("The token cannot be read.")
    return algorithm, key_id if isinstance(key_id, str) else None


_REASONS: dict[type[jwt.InvalidTokenError], str] = {
    jwt.InvalidAlgorithmError: "The token's algorithm is not accepted.",
    jwt.InvalidIssuerError: "The token is from another issuer.",
    jwt.InvalidAudienceError: "The token is for another audience.",
}


def _reason(error: jwt.InvalidTokenError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {error.claim!r}."
    return _REASONS.get(type(error), "The token cannot be read.")


def _viewer(claims: Mapping[str, Any]) -> Viewer:
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject or not can_be_stored(subject):
        raise Unauthenticated("The token's claim 'sub' must be a non-empty string.")
    known = {role.value for role in Role}
    # Unknown roles grant nothing; an identity provider may use them elsewhere.
    roles = frozenset(Role(name) for name in _texts(claims, "roles") if name in known)
    return Viewer(subject, roles, frozenset(_texts(claims, "projects")))


def _texts(claims: Mapping[str, Any], name: str) -> list[str]:
    values = claims.get(name, [])
    if not isinstance(values, list) or not all(
        isinstance(value, str) and can_be_stored(value) for value in values
    ):
        raise Unauthenticated(f"The token's claim {name!r} must be a list of strings.")
    return values


def _seconds(claims: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = claims.get(name, default)
    # Compared before float(): a whole number of a thousand digits has no float.
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not abs(value) < MAX_SECONDS
    ):
        raise Unauthenticated(f"The token's claim {name!r} must be a number of seconds.")
    return float(value)
