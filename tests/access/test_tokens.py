"""Tokens: accepted ones, refused ones, and the reasons."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from access.tokens import CACHE_SECONDS, CACHED_TOKENS, TokenVerifier, issue
from access.viewers import Role, Viewer
from storage.errors import Unauthenticated

SECRET = "a-secret-of-at-least-thirty-two-bytes"
OTHER_SECRET = "another-secret-of-thirty-two-bytes-or-more"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def verifier(*secrets: str, clock: Clock | None = None) -> TokenVerifier:
    return TokenVerifier(
        secrets or (SECRET,), "gateway", "gateway", timedelta(seconds=5), clock or Clock(NOW)
    )


def token(secret: str = SECRET, lifetime: timedelta = timedelta(hours=1)) -> str:
    return issue(
        secret,
        "ada",
        [Role.VIEWER],
        ["shop"],
        lifetime=lifetime,
        now=NOW,
        issuer="gateway",
        audience="gateway",
    )


def signed(algorithm: str = "HS256", **claims: Any) -> str:
    full = {"sub": "ada", "exp": NOW.timestamp() + 60, "iss": "gateway", "aud": "gateway"} | claims
    return jwt.encode(
        {name: value for name, value in full.items() if value is not None},
        SECRET * 2,
        algorithm=algorithm,
    )


async def test_a_token_that_is_read_again_has_the_same_viewer() -> None:
    """Cached responses of one viewer then share one set of projects."""
    clock, text = Clock(NOW), token()
    checked = verifier(clock=clock)
    viewer = await checked.authenticate(text)
    clock.now += timedelta(seconds=CACHE_SECONDS + 1)
    assert await checked.authenticate(text) is viewer


async def test_an_issued_token_names_its_viewer() -> None:
    viewer = await verifier().authenticate(token())
    assert viewer == Viewer("ada", frozenset({Role.VIEWER}), frozenset({"shop"}))


async def test_a_token_of_a_former_secret_is_still_accepted() -> None:
    assert (await verifier(OTHER_SECRET, SECRET).authenticate(token())).subject == "ada"


async def test_a_token_expires_even_when_it_was_seen_before() -> None:
    clock = Clock(NOW)
    checked = verifier(clock=clock)
    short = token(lifetime=timedelta(seconds=20))
    assert (await checked.authenticate(short)).subject == "ada"
    clock.now = NOW + timedelta(seconds=26)
    with pytest.raises(Unauthenticated, match="expired"):
        await checked.authenticate(short)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (token(OTHER_SECRET), "signature"),
        (signed("HS512"), "algorithm"),
        (signed(exp=None), "'exp'"),
        (signed(sub=None), "'sub'"),
        (signed(sub=""), "'sub'"),
        (signed(iss="somebody"), "issuer"),
        (signed(aud="somebody"), "audience"),
        (signed(nbf=NOW.timestamp() + 60), "not valid yet"),
        (signed(exp=10**400), "'exp'"),
        (signed(exp=True), "'exp'"),
        (signed(roles="admin"), "'roles'"),
        (signed(projects=[1]), "'projects'"),
        ("", "cannot be read"),
        ("a.b.c", "cannot be read"),
        ("\udc80", "cannot be read"),
        ("x" * 20_000, "too long"),
    ],
)
async def test_a_bad_token_is_refused_with_a_reason(bad: str, reason: str) -> None:
    checked = TokenVerifier(
        (SECRET, SECRET * 2), "gateway", "gateway", timedelta(seconds=5), Clock(NOW)
    )
    with pytest.raises(Unauthenticated, match=reason):
        await checked.authenticate(bad)


async def test_an_unsigned_token_is_refused() -> None:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = {"sub": "ada", "exp": NOW.timestamp() + 60, "roles": ["admin"]}
    with pytest.raises(Unauthenticated, match="algorithm"):
        await verifier().authenticate(f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}.")


async def test_a_key_address_inside_the_token_is_ignored() -> None:
    header = {"jku": "http://127.0.0.1:1/keys", "kid": "x"}
    claims = jwt.decode(token(), options={"verify_signature": False})
    elsewhere = jwt.encode(claims, SECRET, algorithm="HS256", headers=header)
    assert (await verifier().authenticate(elsewhere)).subject == "ada"


async def test_an_unknown_role_grants_nothing() -> None:
    checked = TokenVerifier((SECRET * 2,), "gateway", "gateway", clock=Clock(NOW))
    assert (await checked.authenticate(signed(roles=["owner", "ingest"]))).roles == {Role.INGEST}


async def test_the_cache_of_verified_tokens_is_bounded() -> None:
    checked = verifier()
    checked._cache.update((bytes([n // 256, n % 256]), object()) for n in range(CACHED_TOKENS))  # type: ignore[misc]
    await checked.authenticate(token())
    assert len(checked._cache) == CACHED_TOKENS


@pytest.mark.parametrize("text", ["half \ud800", "nul \0"])
async def test_what_no_store_can_hold_is_in_no_claim(text: str) -> None:
    for claims in ({"sub": text}, {"projects": [text]}):
        with pytest.raises(Unauthenticated, match="must be"):
            await verifier(SECRET * 2).authenticate(signed(**claims))
