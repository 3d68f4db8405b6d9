"""The demo's administrator token, stored in the data folder."""

from datetime import datetime, timedelta
from pathlib import Path

from access.tokens import issue
from access.viewers import Role
from gateway.config.credentials import write_private
from gateway.config.settings import Settings

SUBJECT = "demo-admin"
LIFETIME = timedelta(days=30)


def write_demo_token(settings: Settings, now: datetime) -> Path:
    """Issue a token and return its file; those of earlier starts hold until they expire."""
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
    path = settings.data_dir / "demo-token"
    write_private(path, token)
    return path
