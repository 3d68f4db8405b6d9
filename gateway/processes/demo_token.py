"""An administrator's token for the demo, kept in the data folder and renewed in time."""

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
    """The path of a token that is good for a day at least, issuing one where needed."""
    path = settings.data_dir / "demo-token"
    if not _is_good(path, settings, now):
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


def _is_good(path: Path, settings: Settings, now: datetime) -> bool:
    if not path.is_file():
        return False
    verifier = TokenVerifier(
        settings.jwt_secrets,
        settings.jwt_issuer,
        settings.jwt_audience,
        clock=lambda: now + RENEW_BEFORE,
    )
    try:
        verifier.verify(path.read_text(encoding="ascii", errors="replace").strip())
    except Unauthenticated:
        return False
    return True
