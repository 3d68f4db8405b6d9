"""Public keys: accepted algorithms, fetches, and an unavailable provider."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from access.keys import (
    MIN_FRESH_SECONDS,
    REFETCH_SECONDS,
    STALE_SECONDS,
    KeyServerResponse,
    KeySet,
    KeysUnreadable,
    read_keys,
)
from access.tokens import TokenVerifier
from storage.errors import Unauthenticated, Unavailable

SECRET = "a-secret-of-at-least-thirty-two-bytes"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@cache
def private_key(kind: str, name: str = "one") -> Any:
    if kind == "EC":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


KINDS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "Ed25519"}


def public(algorithm: str, name: str = "one", **more: Any) -> dict[str, Any]:
    key = private_key(KINDS[algorithm], name).public_key()
    made = jwt.get_algorithm_by_name(algorithm).to_jwk(key, as_dict=True)
    return {**made, "kid": name, "alg": algorithm, **more}


def signed(
    algorithm: str, name: str = "one", header: dict[str, Any] | None = None, **claims: Any
) -> str:
    full = {"sub": "ada", "exp": NOW.timestamp() + 60, "iss": "gateway", "aud": "gateway"} | claims
    key = private_key(KINDS[algorithm], name)
    return jwt.encode(full, key, algorithm=algorithm, headers={"kid": name} | (header or {}))


@dataclass
class Provider:
    """An identity provider whose keys the test changes."""

    keys: Sequence[dict[str, Any]]
    now: float = 0.0
    asked: int = 0
    away: bool = False
    max_age_seconds: float | None = None
    failures: list[Exception] = field(default_factory=list)

    answering: asyncio.Event | None = None

    def fetch_slowly(self, answering: asyncio.Event) -> None:
        self.answering = answering

    async def fetch(self) -> KeyServerResponse:
        self.asked += 1
        await asyncio.sleep(0)
        if self.answering is not None:
            await self.answering.wait()
        if self.away:
            raise KeysUnreadable("away")
        return KeyServerResponse(orjson.dumps({"keys": self.keys}), self.max_age_seconds)

    def key_set(self) -> KeySet:
        return KeySet(self.fetch, lambda: self.now, self.failures.append)

    def verifier(self) -> TokenVerifier:
        return TokenVerifier(
            [SECRET], "gateway", "gateway", timedelta(0), lambda: NOW, keys=self.key_set()
        )


@pytest.mark.parametrize("algorithm", list(KINDS))
async def test_tokens_of_each_algorithm_are_believed(algorithm: str) -> None:
    verifier = Provider([public(algorithm)]).verifier()
    viewer = await verifier.authenticate(signed(algorithm))
    assert viewer.subject == "ada"


async def test_shared_secrets_go_on_beside_public_keys() -> None:
    provider = Provider([public("RS256")])
    claims = {"sub": "bob", "exp": NOW.timestamp() + 60, "iss": "gateway", "aud": "gateway"}
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    assert (await provider.verifier().authenticate(token)).subject == "bob"
    assert provider.asked == 0


def forged_with_public_key() -> str:
    """A token signed by HS256 with the public key's text as the secret, a known attack."""
    pem = (
        private_key("RSA")
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    claims = {"sub": "ada", "exp": NOW.timestamp() + 60, "iss": "gateway", "aud": "gateway"}
    parts = [
        base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=")
        for part in ({"alg": "HS256", "typ": "JWT", "kid": "one"}, claims)
    ]
    signature = jwt.get_algorithm_by_name("HS256").sign(b".".join(parts), pem)
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (forged_with_public_key(), "signature does not match"),
        (signed("RS256", "other"), "signature does not match"),
        (signed("RS256", "other", {"kid": "one"}), "signature does not match"),
        (signed("PS256"), "signature does not match"),
        (signed("ES256"), "signature does not match"),
        (signed("RS256", header={"crit": ["x"], "x": 1}), "cannot be read"),
        (signed("RS256", exp=NOW.timestamp() - 1), "has expired"),
        (signed("RS256", nbf=NOW.timestamp() + 5), "not valid yet"),
        (signed("RS256", aud="others"), "another audience"),
        (signed("RS256", iss="others"), "another issuer"),
    ],
)
async def test_what_does_not_fit_is_refused_with_a_reason(token: str, reason: str) -> None:
    with pytest.raises(Unauthenticated, match=reason):
        await Provider([public("RS256")]).verifier().authenticate(token)


async def test_key_addresses_in_a_token_are_not_followed() -> None:
    header = {
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example/x",
        "jwk": public("RS256", "evil"),
    }
    token = signed("RS256", "evil", {**header, "kid": "one"})
    provider = Provider([public("RS256")])
    with pytest.raises(Unauthenticated, match="signature does not match"):
        await provider.verifier().authenticate(token)


async def test_unknown_key_asks_again_but_seldom() -> None:
    provider = Provider([public("RS256")])
    verifier = provider.verifier()
    await verifier.authenticate(signed("RS256"))
    provider.keys = [public("RS256", "two")]
    with pytest.raises(Unauthenticated):
        await verifier.authenticate(signed("RS256", "two"))
    assert provider.asked == 1
    provider.now += REFETCH_SECONDS
    assert (await verifier.authenticate(signed("RS256", "two"))).subject == "ada"
    assert provider.asked == 2
    # The key that was taken out is no longer believed, but for tokens verified a moment ago.
    with pytest.raises(Unauthenticated):
        await verifier.authenticate(signed("RS256", jti="fresh"))


async def test_many_at_once_ask_once() -> None:
    provider = Provider([public("RS256")])
    verifier = provider.verifier()
    tokens = [signed("RS256", jti=str(number)) for number in range(20)]
    await asyncio.gather(*(verifier.authenticate(token) for token in tokens))
    assert provider.asked == 1


async def test_last_keys_are_believed_for_a_day_while_the_provider_is_away() -> None:
    provider = Provider([public("RS256")], max_age_seconds=5)
    verifier = provider.verifier()
    await verifier.authenticate(signed("RS256"))
    provider.away = True
    provider.now += MIN_FRESH_SECONDS + 1
    assert (await verifier.authenticate(signed("RS256", jti="2"))).subject == "ada"
    await asyncio.sleep(0.01)
    assert provider.asked == 2
    assert len(provider.failures) == 1
    provider.now += STALE_SECONDS
    with pytest.raises(Unavailable):
        await verifier.authenticate(signed("RS256", jti="3"))


async def test_keys_that_are_believed_do_not_wait_for_a_slow_provider() -> None:
    provider = Provider([public("RS256")], max_age_seconds=5)
    verifier = provider.verifier()
    await verifier.authenticate(signed("RS256"))
    provider.now += MIN_FRESH_SECONDS + 1
    answering = asyncio.Event()
    provider.fetch_slowly(answering)
    async with asyncio.timeout(1):
        assert (await verifier.authenticate(signed("RS256", jti="2"))).subject == "ada"
    answering.set()


async def test_token_whose_memory_lapses_meanwhile_is_verified_again() -> None:
    provider = Provider([public("RS256")])
    times = iter([NOW, NOW, NOW + timedelta(seconds=59.999)])
    verifier = TokenVerifier(
        [SECRET],
        "gateway",
        "gateway",
        timedelta(seconds=60),
        lambda: next(times, NOW + timedelta(seconds=60.001)),
        keys=provider.key_set(),
    )
    for _ in range(5):
        assert (await verifier.authenticate(signed("RS256"))).subject == "ada"


async def test_without_any_keys_nobody_can_tell() -> None:
    provider = Provider([], away=True)
    with pytest.raises(Unavailable):
        await provider.verifier().authenticate(signed("RS256"))


@pytest.mark.parametrize(
    "member",
    [
        public("RS256", use="enc"),
        public("RS256", key_ops=["sign"]),
        public("RS256", alg="HS256"),
        public("RS256", alg="none"),
        public("RS256", n="!"),
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        {"kty": "RSA"},
        {},
        "text",
        None,
    ],
)
def test_keys_for_other_uses_are_left_out(member: Any) -> None:
    good = public("ES256")
    assert [key.algorithm for key in read_keys(orjson.dumps({"keys": [member, good]}))] == ["ES256"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": 5}', b"<html>", b"null"])
def test_what_is_no_key_set_is_told(body: bytes) -> None:
    with pytest.raises(KeysUnreadable):
        read_keys(body)


@given(st.one_of(st.text(max_size=200), st.from_regex(r"[\w-]{1,9}\.[\w-]{1,40}\.[\w-]{0,9}")))
def test_no_text_is_a_token_by_chance(text: str) -> None:
    verifier = Provider([public("RS256")]).verifier()
    with pytest.raises(Unauthenticated) as refused:
        asyncio.run(verifier.authenticate(text))
    assert refused.value.message
