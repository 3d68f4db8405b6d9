"""Service tokens: revocable credentials of programs.

A token is `dagt_<id>_<secret>_<checksum>`. Only a hash of the secret is stored. The checksum is no
protection: it detects typing errors and scanners without a query.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from access.credentials import StoredCredentials
from access.viewers import Role, Viewer
from storage.admin import service_tokens as table
from storage.admin.service_tokens import StoredToken
from storage.connections.database import Database
from storage.errors import Unauthenticated
from storage.names import wrong_name

PREFIX = "dagt_"
SUBJECT = "service-token:"
SECRET_BYTES = 32
ROLES = (Role.VIEWER, Role.INGEST, Role.MAINTAINER)

DEFAULT_LIFETIME = timedelta(days=90)
LONGEST_LIFETIME = timedelta(days=366)
MAX_NAME_LENGTH = 100
MAX_PROJECTS = 1000

_FORM = re.compile(r"dagt_([0-9a-f]{32})_([A-Za-z0-9_-]{43})_([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A new token; its text is stored nowhere."""

    text: str
    stored: StoredToken


def make(
    name: str,
    roles: Sequence[Role],
    projects: Sequence[str],
    *,
    lifetime: timedelta,
    by: str,
    now: datetime,
) -> NewToken:
    """Makes a token with a new secret; the caller stores it."""
    token_id, secret = uuid4(), secrets.token_urlsafe(SECRET_BYTES)
    stored = StoredToken(
        token_id=token_id,
        name=name,
        secret_hash=_hash(secret),
        roles=tuple(sorted(role.value for role in roles)),
        project_slugs=tuple(sorted(set(projects))),
        created_by=by,
        created_at=now,
        expires_at=now + lifetime,
    )
    body = f"{PREFIX}{token_id.hex}_{secret}"
    return NewToken(f"{body}_{_checksum(body)}", stored)


def problems(
    name: str, roles: Sequence[Role], projects: Sequence[str], lifetime: timedelta
) -> list[tuple[str, str]]:
    """Returns the invalid fields, each with a message."""
    found: list[tuple[str, str]] = []
    if not name.strip() or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        found.append(("name", f"Give 1 to {MAX_NAME_LENGTH} printable characters."))
    if not roles or any(role not in ROLES for role in roles):
        found.append(("roles", f"Give one or more of {', '.join(ROLES)}."))
    if not 1 <= len(projects) <= MAX_PROJECTS or not all(map(_is_slug, projects)):
        found.append(("projects", f"Give 1 to {MAX_PROJECTS} slugs of projects."))
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        found.append(("expiresInDays", f"Give 1 to {LONGEST_LIFETIME.days} days."))
    return found


class _Known(NamedTuple):
    """A stored token and its viewer."""

    stored: StoredToken
    viewer: Viewer


class ServiceTokens:
    """Verifies service tokens, and records when each was last used."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._clock = clock
        self.stored = StoredCredentials[tuple[UUID, bytes], UUID, _Known](
            database, monotonic, self._find, table.mark_used
        )

    async def authenticate(self, text: str) -> Viewer:
        """Returns the token's viewer; raises Unauthenticated, or Unavailable."""
        token_id, secret = _parts(text)
        known = await self.stored.look_up((token_id, _hash(secret)))
        if known is None:
            raise Unauthenticated("There is no such service token.")
        stored, now = known.stored, self._clock()
        if stored.revoked_at is not None:
            raise Unauthenticated("The service token has been revoked.")
        if now >= stored.expires_at:
            raise Unauthenticated("The service token has expired.")
        self.stored.use(stored.token_id, now)
        return known.viewer

    async def _find(self, key: tuple[UUID, bytes]) -> _Known | None:
        token_id, hashed = key
        stored = await table.find(self._database, token_id)
        if stored is None or not hmac.compare_digest(stored.secret_hash, hashed):
            return None
        viewer, known = _viewer(stored), self.stored.known(key)
        # The same object as before, which many cached responses refer to.
        return _Known(stored, known.viewer if known and known.viewer == viewer else viewer)


def _viewer(stored: StoredToken) -> Viewer:
    roles = frozenset(Role(role) for role in stored.roles)
    slugs = frozenset(stored.project_slugs)
    return Viewer(f"{SUBJECT}{stored.name}", roles, slugs, stored.token_id)


def _parts(text: str) -> tuple[UUID, str]:
    match = _FORM.fullmatch(text)
    if match is None or _checksum(text.rpartition("_")[0]) != match[3]:
        raise Unauthenticated("The service token is incomplete or mistyped.")
    return UUID(match[1]), match[2]


def _hash(secret: str) -> bytes:
    # The secret is random and long, so a slow hash would add no protection.
    return hashlib.sha256(secret.encode()).digest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _is_slug(text: str) -> bool:
    return bool(text) and wrong_name(text) is None
