"""Secrets: checks of their strength, the files they come from, and the demo's own secret."""

import os
import secrets
import stat
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import structlog

log = structlog.get_logger(component="settings")

MIN_SECRET_BYTES = 32  # HS256 signs with 256 bits; a shorter secret weakens it
MIN_SECRET_VARIETY = 8
# Phrases from tutorials and examples that end up in production by accident.
KNOWN_SECRETS = ("changeme", "change-me", "change_me", "your-secret", "secret-key", "password")
# Production recognises a demo secret by this and refuses it.
DEMO_SECRET_PREFIX = "demo-"  # noqa: S105 - a prefix, not a secret
_DEMO_SECRET_FILE = "demo-secret"  # noqa: S105 - its name

# Settings that may come from a file, named by the setting with the suffix `_file`.
BY_FILE = (
    "jwt_secret",
    "database_url",
    "redis_url",
    "alert_heartbeat_url",
    "smtp_url",
    "operations_url",
    "operations_secret",
)
SCHEMES = {
    "database_url": ("postgresql", "postgres"),
    "redis_url": ("redis", "rediss", "unix"),
    "mlflow_tracking_uri": ("https", "http"),
    "smtp_url": ("smtp", "smtps"),
}
NUMERIC_OPTIONS = ("connect_timeout", "prepared_statement_cache_size", "port", "db")


def secret_fault(secret: str) -> str | None:
    """Why a secret is not strong enough for production, or None."""
    if not secret:
        return "is not set"
    if secret.startswith(DEMO_SECRET_PREFIX):
        return "is a demo secret"
    if any(known in secret.lower() for known in KNOWN_SECRETS):
        return "is a well-known example"
    if len(secret.encode()) < MIN_SECRET_BYTES:
        return f"is shorter than {MIN_SECRET_BYTES} bytes"
    if len(set(secret)) < MIN_SECRET_VARIETY:
        return "repeats a few characters"
    return None


def server_url_fault(name: str, url: str) -> str | None:
    """Why a server's URL is invalid, or None; shows no part of the URL, which holds a password."""
    schemes = SCHEMES[name]
    scheme, separator, _rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in schemes:
        return f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return (
            "has a host or port that cannot be read; in a password, write / as %2F, # as %23,"
            " ? as %3F, [ as %5B and @ as %40"
        )
    if scheme in ("https", "http") and not parts.hostname:
        return "has no host"
    wrong = [
        option
        for option, value in parse_qsl(parts.query, keep_blank_values=True)
        if option in NUMERIC_OPTIONS and not value.isdecimal()
    ]
    return f"has an option {wrong[0]} that is not a number" if wrong else None


def read(file: Path) -> str:
    """Read a secret; raises OSError or ValueError, which do not show the content."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8 text") from None


def warn_of_open_files(settings: object) -> None:
    """Log a warning for each secret file that every user of this machine may read."""
    for name in BY_FILE:
        file: Path | None = getattr(settings, f"{name}_file")
        if file and file.stat().st_mode & stat.S_IROTH:
            log.warning("file_with_a_secret_is_open_to_all", path=str(file), advice="chmod o-r")


def demo_secret(data_dir: Path) -> str:
    """The signing secret in the data folder, made at random the first time."""
    if secret := stored_demo_secret(data_dir):
        return secret
    secret = DEMO_SECRET_PREFIX + secrets.token_hex(32)
    write_private(data_dir / _DEMO_SECRET_FILE, secret)
    return secret


def stored_demo_secret(data_dir: Path) -> str:
    """The signing secret in the data folder; empty if none has been made."""
    path = data_dir / _DEMO_SECRET_FILE
    return path.read_text(encoding="ascii").strip() if path.exists() else ""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
    draft.replace(path)
