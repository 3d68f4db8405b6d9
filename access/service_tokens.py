"""Service tokens: revocable credentials of programs.

A token is `dagt_<id>_<secret>_<checksum>`. Only a hash of the secret is stored. The checksum is no
protection: it detects typing errors and scanners without a query.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from access.viewers import Role, Viewer
from storage.admin import service_tokens as table
from storage.admin.service_tokens import StoredToken
from storage.connections.database import Database
from storage.errors import GatewayError, Unauthenticated, Unavailable
from storage.names import wrong_name
from storage.recent import Recent

PREFIX = "dagt_"
SUBJECT = "service-token:"
SECRET_BYTES = 32
ROLES = (Role.VIEWER, Role.INGEST, Role.MAINTAINER)

DEFAULT_LIFETIME = timedelta(days=90)
LONGEST_LIFETIME = timedelta(days=366)
MAX_NAME_LENGTH = 100
MAX_PROJECTS = 1000

# Tokens are looked up again after this time, so a revoked one is refused within five seconds.
CACHE_SECONDS = 4.0
# While the database is unavailable, a token looked up within this time is accepted.
STALE_SECONDS = 60.0
CACHED_TOKENS = 10_000
USE_WRITTEN_SECONDS = 30.0

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


@dataclass(slots=True)
class _Lookup:
    """The result of a look-up: the stored token, or None if none has this secret."""

    stored: StoredToken | None
    viewer: Viewer | None
    read_at: float


class ServiceTokens:
    """Verifies service tokens, and records when each was last used."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._accepted = Recent[bytes, _Lookup](CACHED_TOKENS)
        # Separate, so that guesses do not displace tokens in use.
        self._refused = Recent[bytes, _Lookup](CACHED_TOKENS)
        self._used: dict[UUID, datetime] = {}

    async def authenticate(self, text: str) -> Viewer:
        """Returns the token's viewer; raises Unauthenticated, or Unavailable."""
        token_id, secret = _parts(text)
        lookup = await self._look_up(token_id, secret)
        stored, viewer = lookup.stored, lookup.viewer
        if stored is None or viewer is None:
            raise Unauthenticated("There is no such service token.")
        now = self._clock()
        if stored.revoked_at is not None:
            raise Unauthenticated("The service token has been revoked.")
        if now >= stored.expires_at:
            raise Unauthenticated("The service token has expired.")
        self._used[stored.token_id] = now
        return viewer

    async def write_uses(self) -> None:
        """Stores when tokens were last used; retries later if the database is unavailable."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            async with self._database.connection() as connection:
                await table.mark_used(connection, used)
        except (GatewayError, OSError):
            self._used = {**used, **self._used}

    async def _look_up(self, token_id: UUID, secret: str) -> _Lookup:
        hashed = _hash(secret)
        key = token_id.bytes + hashed
        now = self._monotonic()
        cached = self._accepted.get(key) or self._refused.get(key)
        if cached is not None and now - cached.read_at < CACHE_SECONDS:
            return cached
        try:
            stored = await table.find(self._database, token_id)
        except Unavailable:
            if cached is not None and now - cached.read_at < STALE_SECONDS:
                return cached
            raise
        if stored is not None and not hmac.compare_digest(stored.secret_hash, hashed):
            stored = None
        viewer = None if stored is None else _viewer(stored)
        if cached is not None and cached.viewer == viewer:
            viewer = cached.viewer  # the same object, which many cached responses refer to
        cache = self._refused if stored is None else self._accepted
        lookup = cache[key] = _Lookup(stored, viewer, now)
        return lookup

    async def follow(self) -> None:
        """Stores the uses from time to time, and once more when cancelled."""
        try:
            while True:
                await asyncio.sleep(USE_WRITTEN_SECONDS)
                await self.write_uses()
        finally:
            await self.write_uses()


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
