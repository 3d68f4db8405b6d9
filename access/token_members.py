"""Takes the members of projects from the claims of tokens; no request waits for it.

A token with the claim `email` or `project_roles` makes its subject a member of the token's
projects. Service tokens have no claims, so they are no members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from access.viewers import Viewer
from storage import members
from storage.background import repeating
from storage.connections.database import Database
from storage.errors import Timeout, Unavailable
from storage.members import MemberFields, MemberRole
from storage.names import is_email
from storage.recent import Recent

log = structlog.get_logger(component="members")

FLUSH_SECONDS = 2.0
# How long the same claims of a subject are not written again.
REMEMBERED_SECONDS = 3600.0
MAX_REMEMBERED = 50_000
MAX_WAITING = 10_000

Membership = tuple[str, MemberFields]  # with the slug of the project


class TokenMembers:
    """Notes the claims of verified tokens, and writes those that are new within the hour.

    At most MAX_WAITING memberships wait; further ones are noted when their token is read again.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._noted_at = Recent[Membership, float](MAX_REMEMBERED)
        self._waiting: dict[tuple[str, str], Membership] = {}  # by project and subject

    async def follow(self) -> None:
        """Writes from time to time, and once more when cancelled."""
        await repeating(FLUSH_SECONDS, self.flush)

    def note(self, viewer: Viewer, claims: Mapping[str, Any]) -> None:
        """Queues the memberships of a token that was just read."""
        now = self._monotonic()
        for claimed in memberships(viewer, claims):
            noted_at = self._noted_at.get(claimed)
            is_known = noted_at is not None and now - noted_at < REMEMBERED_SECONDS
            if not is_known and len(self._waiting) < MAX_WAITING:
                self._waiting[claimed[0], viewer.subject] = claimed
                self._noted_at[claimed] = now

    async def flush(self) -> None:
        """Writes what waits; it waits longer while the database is away."""
        waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        try:
            async with self._database.transaction() as connection:
                claimed = list(waiting.values())
                await members.upsert_from_tokens(connection, claimed, self._clock())
        except (Unavailable, Timeout, OSError):
            self._waiting = {**waiting, **self._waiting}
            log.warning("members_not_written", members=len(waiting))
        except Exception as error:  # noqa: BLE001 - a retry would fail again
            # Only its type: the driver's message shows values, which hold addresses.
            log.error("members_lost", members=len(waiting), error=type(error).__name__)


def memberships(viewer: Viewer, claims: Mapping[str, Any]) -> list[Membership]:
    """The memberships that a token claims; malformed claims are ignored."""
    email, roles = claims.get("email"), claims.get("project_roles")
    if not isinstance(email, str) or not is_email(email):
        email = None
    if not isinstance(roles, Mapping):
        roles = {}
    if email is None and not roles:
        return []
    return [
        (slug, MemberFields(viewer.subject, email, _role(roles.get(slug))))
        for slug in sorted(viewer.project_slugs)
    ]


def _role(name: Any) -> MemberRole | None:
    return MemberRole(name) if name in list(MemberRole) else None
