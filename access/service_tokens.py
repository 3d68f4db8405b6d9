"""Service tokens: credentials of programs, which can be taken back at any moment.

A token is `dagt_<id>_<secret>_<checksum>`. Of the secret only a hash is kept. The checksum is no
protection: it tells typing errors and scanners apart from tokens without asking the database.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import zlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from access.viewers import Role, Viewer
from storage.admin import service_tokens as table
from storage.admin.service_tokens import StoredToken
from storage.connections.database import Database
from storage.errors import GatewayError, Unauthenticated, Unavailable
from storage.names import wrong_name

PREFIX = "dagt_"
SUBJECT = "service-token:"
SECRET_BYTES = 32
ROLES = (Role.VIEWER, Role.INGEST, Role.MAINTAINER)

DEFAULT_LIFETIME = timedelta(days=90)
LONGEST_LIFETIME = timedelta(days=366)
MAX_NAME_LENGTH = 100
MAX_PROJECTS = 1000

# A token taken back is looked up anew after this time, and refused everywhere within five seconds.
KEPT_SECONDS = 4.0
# While the database is away a token seen so lately is still believed.
BELIEVED_SECONDS = 60.0
KEPT_TOKENS = 10_000
USE_WRITTEN_SECONDS = 30.0

_FORM = re.compile(r"dagt_([0-9a-f]{32})_([A-Za-z0-9_-]{43})_([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made: its text is known here and nowhere else."""

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
    """A token with a fresh secret; its stored form still has to be stored."""
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


def faults(
    name: str, roles: Sequence[Role], projects: Sequence[str], lifetime: timedelta
) -> list[tuple[str, str]]:
    """What speaks against making such a token: the field, and a sentence."""
    found: list[tuple[str, str]] = []
    if not name.strip() or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        found.append(("name", f"Between 1 and {MAX_NAME_LENGTH} printable characters."))
    if not roles or any(role not in ROLES for role in roles):
        found.append(("roles", f"One or more of {', '.join(ROLES)}."))
    if not 1 <= len(projects) <= MAX_PROJECTS or not all(map(_is_slug, projects)):
        found.append(("projects", f"Between 1 and {MAX_PROJECTS} slugs of projects."))
    if not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        found.append(("expiresInDays", f"Between 1 and {LONGEST_LIFETIME.days} days."))
    return found


@dataclass(slots=True)
class _Kept:
    """What the database said of a token: the stored one, or None for none with this secret."""

    stored: StoredToken | None
    viewer: Viewer | None
    asked_at: float


class ServiceTokens:
    """Verifies service tokens, and notes when each was last used."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        # Apart, so that guesses push out no token that is in use.
        self._refused: OrderedDict[bytes, _Kept] = OrderedDict()
        self._used: dict[UUID, datetime] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._follow(), name="service-token-uses")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.write_uses()

    async def authenticate(self, text: str) -> Viewer:
        """The token's viewer; raises Unauthenticated, or Unavailable while nobody can tell."""
        token_id, secret = _parts(text)
        kept = await self._known(token_id, secret)
        stored, viewer = kept.stored, kept.viewer
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
        """Store when tokens were last used; what cannot be stored now is tried again."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            async with self._database.connection() as connection:
                await table.used(connection, used)
        except (GatewayError, OSError):
            self._used = {**used, **self._used}

    async def _known(self, token_id: UUID, secret: str) -> _Kept:
        hashed = _hash(secret)
        key = token_id.bytes + hashed
        now = self._monotonic()
        kept = self._kept.get(key) or self._refused.get(key)
        if kept is not None and now - kept.asked_at < KEPT_SECONDS:
            return kept
        try:
            stored = await table.find(self._database, token_id)
        except Unavailable:
            if kept is not None and now - kept.asked_at < BELIEVED_SECONDS:
                return kept
            raise
        if stored is not None and not hmac.compare_digest(stored.secret_hash, hashed):
            stored = None
        viewer = None if stored is None else _viewer(stored)
        if kept is not None and kept.viewer == viewer:
            viewer = kept.viewer  # the same one: many answers are kept with it
        known = _Kept(stored, viewer, now)
        _remember(self._refused if stored is None else self._kept, key, known)
        return known

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(USE_WRITTEN_SECONDS)
            await self.write_uses()


def _viewer(stored: StoredToken) -> Viewer:
    roles = frozenset(Role(role) for role in stored.roles)
    slugs = frozenset(stored.project_slugs)
    return Viewer(f"{SUBJECT}{stored.name}", roles, slugs, stored.token_id)


def _remember(kept: OrderedDict[bytes, _Kept], key: bytes, one: _Kept) -> None:
    kept[key] = one
    kept.move_to_end(key)
    while len(kept) > KEPT_TOKENS:
        kept.popitem(last=False)


def _parts(text: str) -> tuple[UUID, str]:
    form = _FORM.fullmatch(text)
    if form is None or _checksum(text.rpartition("_")[0]) != form[3]:
        raise Unauthenticated("The service token is incomplete or mistyped.")
    return UUID(form[1]), form[2]


def _hash(secret: str) -> bytes:
    # The secret is random and long, so a slow hash would protect nothing.
    return hashlib.sha256(secret.encode()).digest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def _is_slug(text: str) -> bool:
    return bool(text) and wrong_name(text) is None
