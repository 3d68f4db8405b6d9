"""JSON Web Tokens: issuing them, and turning one into a Viewer or a refusal."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from access.viewers import Role, Viewer
from storage.errors import Unauthenticated

# Fixed here and never taken from the token, so that neither "none" nor another family gets in.
ALGORITHMS = ["HS256"]
REQUIRED_CLAIMS = ["exp", "sub"]
MAX_TOKEN_LENGTH = 16_384
CACHED_TOKENS = 4096
CACHE_SECONDS = 60.0
FARTHEST_SECOND = 1e12


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
    """Sign a token."""
    claims = {
        "sub": subject,
        "iss": issuer,
        "aud": audience,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
        "roles": sorted(role.value for role in roles),
        "projects": sorted(projects),
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHMS[0])


@dataclass(frozen=True, slots=True)
class _Verified:
    viewer: Viewer
    valid_from: float
    expires_at: float
    cached_until: float


class TokenVerifier:
    """Verifies tokens against one or more secrets (several while a secret is being replaced)."""

    def __init__(
        self,
        secrets: Sequence[str],
        issuer: str,
        audience: str,
        leeway: timedelta = timedelta(seconds=30),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not secrets or not all(secrets):
            raise ValueError("a token verifier needs at least one secret")
        self._secrets = tuple(secrets)
        self._issuer = issuer
        self._audience = audience
        self._leeway_seconds = leeway.total_seconds()
        self._clock = clock
        self._cache: OrderedDict[bytes, _Verified] = OrderedDict()

    def verify(self, token: str) -> Viewer:
        """The token's viewer; raises Unauthenticated with a reason the caller may see."""
        now = self._clock().timestamp()
        if len(token) > MAX_TOKEN_LENGTH:
            raise Unauthenticated("The token is too long.")
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        verified = self._cache.get(key)
        if verified is None or verified.cached_until <= now:
            verified = self._read(token, now)
            self._remember(key, verified)
        self._check_times(verified, now)
        return verified.viewer

    def _read(self, token: str, now: float) -> _Verified:
        claims = self._decode(token)
        return _Verified(
            viewer=_viewer(claims),
            valid_from=max(_seconds(claims, "nbf", 0.0), _seconds(claims, "iat", 0.0)),
            expires_at=_seconds(claims, "exp"),
            cached_until=now + CACHE_SECONDS,
        )

    def _decode(self, token: str) -> Mapping[str, Any]:
        refusal = Unauthenticated("The token is not valid.")
        for secret in self._secrets:
            try:
                return jwt.decode(
                    token,
                    secret,
                    algorithms=ALGORITHMS,
                    issuer=self._issuer,
                    audience=self._audience,
                    # Times are checked below, against the clock that was handed in.
                    options={
                        "require": REQUIRED_CLAIMS,
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                    },
                )
            except jwt.InvalidSignatureError:
                refusal = Unauthenticated("The token's signature does not match.")
            except jwt.InvalidTokenError as error:
                raise Unauthenticated(_reason(error)) from None
            except (ValueError, TypeError, RecursionError):
                # Oddities below the library's own checks, such as lone surrogates.
                raise Unauthenticated("The token cannot be read.") from None
        raise refusal

    def _remember(self, key: bytes, verified: _Verified) -> None:
        self._cache[key] = verified
        self._cache.move_to_end(key)
        while len(self._cache) > CACHED_TOKENS:
            self._cache.popitem(last=False)

    def _check_times(self, verified: _Verified, now: float) -> None:
        if now >= verified.expires_at + self._leeway_seconds:
            raise Unauthenticated("The token has expired.")
        if now < verified.valid_from - self._leeway_seconds:
            raise Unauthenticated("The token is not valid yet.")


REASONS: dict[type[jwt.InvalidTokenError], str] = {
    jwt.InvalidAlgorithmError: "The token's algorithm is not accepted.",
    jwt.InvalidIssuerError: "The token is from another issuer.",
    jwt.InvalidAudienceError: "The token is for another audience.",
}


def _reason(error: jwt.InvalidTokenError) -> str:
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {error.claim!r}."
    return REASONS.get(type(error), "The token cannot be read.")


def _viewer(claims: Mapping[str, Any]) -> Viewer:
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject:
        raise Unauthenticated("The token's claim 'sub' must be a non-empty text.")
    known = {role.value for role in Role}
    # A role we do not know grants nothing; an identity provider may use it elsewhere.
    roles = frozenset(Role(name) for name in _texts(claims, "roles") if name in known)
    return Viewer(subject, roles, frozenset(_texts(claims, "projects")))


def _texts(claims: Mapping[str, Any], name: str) -> list[str]:
    values = claims.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Unauthenticated(f"The token's claim {name!r} must be a list of texts.")
    return values


def _seconds(claims: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = claims.get(name, default)
    # The bound comes first: a whole number of a thousand digits has no float.
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not abs(value) < FARTHEST_SECOND
    ):
        raise Unauthenticated(f"The token's claim {name!r} must be a number of seconds.")
    return float(value)
