"""The demo's administrator token, stored in the data folder and renewed before it expires."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from access.tokens import TokenVerifier, issue
from access.viewers import Role
from gateway.config.credentials import write_private
from gateway.config.settings import Settings
from storage.errors import Unauthenticated

SUBJECT = "demo-admin"
LIFETIME = timedelta(days=30)
RENEW_BEFORE = timedelta(days=1)


def ensure_demo_token(settings: Settings, now: datetime) -> Path:
    """Return the path of a token valid for at least RENEW_BEFORE; issues one if needed."""
    path = settings.data_dir / "demo-token"
    if not _is_valid(path, settings, now):
        token = issue(
            settings.jwt_secrets[0],
            SUBJECT,
            [Role.ADMIN],
            [],
            lifetime=LIFETIME,
            now=now,
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
        )
        write_private(path, token)
    path.chmod(0o600)
    return path


def _is_valid(path: Path, settings: Settings, now: datetime) -> bool:
    if not path.is_file():
        return False
    verifier = TokenVerifier(
        settings.jwt_secrets,
        settings.jwt_issuer,
        settings.jwt_audience,
        clock=lambda: now + RENEW_BEFORE,
    )
    token = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        asyncio.run(verifier.authenticate(token))
    except Unauthenticated:
        return False
    return True
