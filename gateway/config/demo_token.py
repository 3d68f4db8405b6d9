"""The demo's administrator token, stored in the data folder."""

from datetime import datetime, timedelta
from pathlib import Path

from access.tokens import issue
from access.viewers import Role
from gateway.config.credentials import write_private
from gateway.config.settings import Settings

SUBJECT = "demo-admin"
LIFETIME = timedelta(days=30)


def issue_demo_token(settings: Settings, now: datetime) -> str:
    """A token of the demo's administrator."""
    return issue(
        settings.jwt_secrets[0],
        SUBJECT,
        [Role.ADMIN],
        [],
        lifetime=LIFETIME,
        now=now,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )


def write_demo_token(settings: Settings, now: datetime) -> Path:
    """Issue a token and return its file; those of earlier starts hold until they expire."""
    path = settings.data_dir / "demo-token"
    write_private(path, issue_demo_token(settings, now))
    return path
