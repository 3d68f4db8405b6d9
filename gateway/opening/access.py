"""Opens who may do how much: what verifies tokens, what records their uses, and the budgets."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog

from access.budgets import Budgets
from access.keys import KeySet
from access.service_tokens import ServiceTokens
from access.token_members import TokenMembers
from access.token_uses import TokenUses
from access.tokens import OnClaims, TokenVerifier
from gateway.config.key_server import fetch_keys
from gateway.config.rate_limits import default_rules
from gateway.config.settings import Settings
from gateway.http.tokens import Authenticator
from gateway.observability.telemetry import Telemetry
from gateway.opening.database import utc_now
from storage.background import running
from storage.buckets import Buckets
from storage.connections.database import Database
from storage.connections.redis import open_redis

# A server that is gone refuses at once; this is for one that hangs, with room for a busy loop.
LIMITS_TIMEOUT_SECONDS = 1.0

log = structlog.get_logger(component="app")


@asynccontextmanager
async def open_tokens(
    settings: Settings, database: Database, telemetry: Telemetry
) -> AsyncIterator[tuple[TokenUses, Authenticator]]:
    """Records in the background inside the block."""
    token_uses = TokenUses(database, utc_now, on_lost=telemetry.on_audit_lost)
    service_tokens = ServiceTokens(database, utc_now, time.monotonic)
    members = TokenMembers(database, utc_now, time.monotonic)
    verifier = token_verifier(settings, members.note)
    token_uses.start()
    try:
        async with (
            running(service_tokens.stored.follow(), "service-token-uses"),
            running(members.follow(), "token-members"),
        ):
            yield token_uses, Authenticator(verifier, service_tokens)
    finally:
        await token_uses.stop()


def token_verifier(settings: Settings, on_claims: OnClaims) -> TokenVerifier:
    keys = None
    if url := settings.jwt_jwks_url:
        keys = KeySet(partial(fetch_keys, url), time.monotonic, _on_unreadable_keys)
    return TokenVerifier(
        settings.jwt_secrets,
        settings.jwt_issuer,
        settings.jwt_audience,
        timedelta(seconds=settings.jwt_leeway_seconds),
        keys=keys,
        on_claims=on_claims,
    )


def _on_unreadable_keys(error: Exception) -> None:
    log.warning("keys_unreadable", reason=str(error))


@asynccontextmanager
async def open_budgets(
    settings: Settings, database: Database, telemetry: Telemetry
) -> AsyncIterator[Budgets]:
    """Follows the limits that admins set inside the block."""
    redis = open_redis(settings.redis_url, LIMITS_TIMEOUT_SECONDS)
    buckets = Buckets(redis, on_fallback=telemetry.on_limits_fallback)
    budgets = Budgets(default_rules(settings), buckets, database, telemetry.on_admission)
    try:
        async with running(budgets.follow(), "rate-limits"):
            yield budgets
    finally:
        await buckets.close()
