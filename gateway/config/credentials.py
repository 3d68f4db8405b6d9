"""Secrets of the settings: from files where wanted, fit for their use, and never shown."""

import stat
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import structlog

from gateway.config.demo_secret import DEMO_SECRET_PREFIX

log = structlog.get_logger(component="settings")

MIN_SECRET_BYTES = 32  # HS256 signs with 256 bits; a shorter secret weakens it
MIN_SECRET_VARIETY = 8
# Phrases from tutorials and examples that end up in production by accident.
KNOWN_SECRETS = ("changeme", "change-me", "change_me", "your-secret", "secret-key", "password")

# Each may come as a file instead, named by the setting with `_file` behind it.
BY_FILE = ("jwt_secret", "database_url", "redis_url")
SCHEMES = {
    "database_url": ("postgresql", "postgres"),
    "redis_url": ("redis", "rediss", "unix"),
}
NUMBERS = ("connect_timeout", "prepared_statement_cache_size", "port", "db")


def secret_fault(secret: str) -> str | None:
    """Why a secret is not fit for production, or None."""
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


def url_fault(name: str, url: str) -> str | None:
    """Why an address of a server cannot be one, without a letter of it: it holds a password."""
    schemes = SCHEMES[name]
    scheme, separator, _rest = url.partition("://")
    if not separator or scheme.partition("+")[0] not in schemes:
        return f"must begin with {' or '.join(f'{each}://' for each in schemes)}"
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return (
            "has a host or port that cannot be read; write / as %2F, # as %23, ? as %3F, [ as %5B"
            " and @ as %40 where they belong to the password"
        )
    wrong = [
        option
        for option, value in parse_qsl(parts.query, keep_blank_values=True)
        if option in NUMBERS and not value.isdecimal()
    ]
    return f"has an option {wrong[0]} that is no number" if wrong else None


def read(file: Path) -> str:
    """What a file holds; raises OSError or ValueError, of which neither shows any of it."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{file} is no text in UTF-8") from None


def warn_of_open_files(settings: object) -> None:
    """Tell of files with secrets that every user of this machine may read."""
    for name in BY_FILE:
        file: Path | None = getattr(settings, f"{name}_file")
        if file and file.stat().st_mode & stat.S_IROTH:
            log.warning("file_with_a_secret_is_open_to_all", path=str(file), advice="chmod o-r")
