"""Viewers, their roles, and the permissions of each role."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from storage.errors import Forbidden


class Role(StrEnum):
    """A role in a token's claim `roles`."""

    VIEWER = "viewer"
    MAINTAINER = "maintainer"
    INGEST = "ingest"
    ADMIN = "admin"


class Permission(StrEnum):
    """A permission that a request may need."""

    READ = "read"
    RECORD = "record"
    MANAGE = "manage"
    PROVISION = "provision"
    ADMINISTER = "administer"


# A build machine's token can only record events: leaked, it reveals no data.
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.MAINTAINER: frozenset({Permission.READ, Permission.MANAGE}),
    Role.INGEST: frozenset({Permission.RECORD}),
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """The holder of a verified token."""

    subject: str
    roles: frozenset[Role]
    project_slugs: frozenset[str]
    # Set for service tokens only.
    token_id: UUID | None = None

    @property
    def key(self) -> str:
        """Identifies the viewer for rate limits, by token or subject."""
        return f"token:{self.token_id}" if self.token_id else f"subject:{self.subject}"

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    def may_name(self, slug: str) -> bool:
        """Whether a project of this slug would be in scope, if it exists."""
        return self.is_admin or slug in self.project_slugs

    def may(self, permission: Permission) -> bool:
        return any(permission in GRANTS[role] for role in self.roles)

    def require(self, permission: Permission) -> None:
        if not self.may(permission):
            raise Forbidden(f"This token's roles do not include permission to {permission.value}.")
