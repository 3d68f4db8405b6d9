"""Project keys: the public keys in the DSNs of Sentry's SDKs.

A key is in the code of every page that sends with it, so it is no secret: it may only record events
of its project, within a budget of its own.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from access.credentials import StoredCredentials
from access.dsn import PUBLIC_KEY, Dsn
from access.limits import Limit
from access.viewers import Role, Viewer
from storage.admin import project_keys as table
from storage.admin.project_keys import KeySettings, ProjectKey
from storage.connections.database import Database
from storage.errors import Forbidden, Unauthenticated
from storage.names import can_be_stored

SUBJECT = "project-key:"
KEY_BYTES = 16
DEFAULT_EVENTS_PER_MINUTE = 6_000
MAX_EVENTS_PER_MINUTE = 1_000_000
MAX_NAME_LENGTH = 100
MAX_PATTERNS = 100
MAX_PATTERN_LENGTH = 200
MAX_STARS = 10

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\sA-Z]+")


def make(
    project_id: int, project: str, settings: KeySettings, *, by: str, now: datetime
) -> ProjectKey:
    """Makes a new key; the caller stores it."""
    public_key = secrets.token_hex(KEY_BYTES)
    return ProjectKey(
        public_key=public_key,
        project_id=project_id,
        project=project,
        created_by=by,
        created_at=now,
        **asdict(settings),
    )


def problems(settings: KeySettings) -> list[tuple[str, str]]:
    """Returns the invalid fields, each with a message."""
    name, events = settings.name, settings.events_per_minute
    found: list[tuple[str, str]] = []
    if not name.strip() or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        found.append(("name", f"Give 1 to {MAX_NAME_LENGTH} printable characters."))
    if not 1 <= events <= MAX_EVENTS_PER_MINUTE:
        found.append(("eventsPerMinute", f"Give 1 to {MAX_EVENTS_PER_MINUTE}."))
    found += _wrong_patterns("origins", settings.origins)
    if not all(map(_ORIGIN.fullmatch, settings.origins)):
        found.append(("origins", "Write each like https://shop.example.com, in lower case."))
    found += _wrong_patterns("refusedReleases", settings.refused_releases)
    found += _wrong_patterns("refusedTexts", settings.refused_texts)
    if settings.forward_to is not None:
        try:
            Dsn.parse(settings.forward_to)
        except ValueError as error:
            found.append(("forwardTo", f"{str(error)[0].upper()}{str(error)[1:]}."))
    return found


def _wrong_patterns(field: str, patterns: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(patterns) > MAX_PATTERNS:
        yield field, f"Give at most {MAX_PATTERNS}."
    for pattern in patterns[:MAX_PATTERNS]:
        if not pattern.strip() or len(pattern) > MAX_PATTERN_LENGTH or not can_be_stored(pattern):
            yield field, f"Give 1 to {MAX_PATTERN_LENGTH} characters for each."
        elif pattern.count("*") > MAX_STARS:
            yield field, f"A pattern has at most {MAX_STARS} stars."


def limit_of(key: ProjectKey) -> Limit:
    """The budget of events."""
    return Limit(key.events_per_minute)


def viewer_of(key: ProjectKey) -> Viewer:
    """Who sends with the key: may record events of its project, and do nothing else."""
    subject = f"{SUBJECT}{key.name}"
    token_id = UUID(key.public_key)
    return Viewer(subject, frozenset({Role.INGEST}), frozenset({key.project}), token_id)


class ProjectKeys:
    """Verifies project keys, and records when each was last used."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._clock = clock

        async def find(public_key: str) -> ProjectKey | None:
            return await table.find(database, public_key)

        self.stored = StoredCredentials[str, str, ProjectKey](
            database, monotonic, find, table.mark_used
        )

    def knows(self, public_key: str) -> bool:
        """Whether this process has found the key before."""
        return self.stored.known(public_key) is not None

    async def authenticate(self, public_key: str, project_id: int) -> ProjectKey:
        """Returns the key; raises Unauthenticated, Forbidden if it was revoked, or Unavailable.

        A key of another project is answered like one that does not exist.
        """
        if not PUBLIC_KEY.fullmatch(public_key):
            raise Unauthenticated("The public key is not of 32 hexadecimal digits.")
        key = await self.stored.look_up(public_key)
        if key is None or key.project_id != project_id:
            raise Unauthenticated("There is no such key of this project.")
        if key.revoked_at is not None:
            raise Forbidden("The key has been revoked.")
        self.stored.use(public_key, self._clock())
        return key
