"""Opens what verifies tokens, and what records their uses and the members they name."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

import structlog

from access.keys import KeySet
from access.service_tokens import ServiceTokens
from access.token_members import TokenMembers
from access.token_uses import TokenUses
from access.tokens import OnClaims, TokenVerifier
from gateway.config.key_server import fetch_keys
from gateway.config.settings import Settings
from gateway.http.tokens import Authenticator
from gateway.observability.telemetry import Telemetry
from storage.background import running
from storage.connections.database import Database

log = structlog.get_logger(component="app")


@asynccontextmanager
async def open_tokens(
    settings: Settings, database: Database, clock: Callable[[], datetime], telemetry: Telemetry
) -> AsyncIterator[tuple[TokenUses, Authenticator]]:
    """Records in the background inside the block."""
    token_uses = TokenUses(database, clock, on_lost=telemetry.on_audit_lost)
    service_tokens = ServiceTokens(database, clock, time.monotonic)
    members = TokenMembers(database, clock, time.monotonic)
    verifier = token_verifier(settings, members.note)
    token_uses.start()
    try:
        async with running(service_tokens.follow(), "service-token-uses"), members.recording():
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
