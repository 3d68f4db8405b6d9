"""The demo's own signing secret, kept in the data folder for its owner alone."""

import os
import secrets
from pathlib import Path

# Production recognises a demo secret by this and refuses it.
DEMO_SECRET_PREFIX = "demo-"  # noqa: S105 - a prefix, not a secret


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
