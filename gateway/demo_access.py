"""The demo's own secret and admin token, kept in the data folder for its owner alone."""

import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt

# Production recognises a demo secret by this and refuses it.
DEMO_SECRET_PREFIX = "demo-"  # noqa: S105 - a prefix, not a secret
DEMO_TOKEN_LIFETIME = timedelta(days=30)
RENEW_BEFORE = timedelta(days=1)


def demo_secret(data_dir: Path) -> str:
    """The data folder's secret, made at random the first time."""
    path = data_dir / "demo-secret"
    if path.exists() and (secret := path.read_text(encoding="ascii").strip()):
        return secret
    secret = DEMO_SECRET_PREFIX + secrets.token_hex(32)
    write_private(path, secret)
    return secret


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner can read, complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
    draft.replace(path)


def refresh_demo_token(
    data_dir: Path, secret: str, issue: Callable[[timedelta], str], now: datetime
) -> Path:
    """The path of a demo token that is still good, issuing a new one where needed."""
    path = data_dir / "demo-token"
    if not _is_good(path, secret, now):
        write_private(path, issue(DEMO_TOKEN_LIFETIME))
    path.chmod(0o600)
    return path


def _is_good(path: Path, secret: str, now: datetime) -> bool:
    try:
        claims = jwt.decode(
            path.read_text(encoding="ascii").strip(),
            secret,
            algorithms=["HS256"],
            options={"verify_aud": False, "verify_exp": False},
        )
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    except (OSError, ValueError, KeyError, jwt.InvalidTokenError):
        return False
    return expires_at - now > RENEW_BEFORE
