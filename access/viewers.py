"""Who is asking, and what each role may do."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from storage.errors import Forbidden


class Role(StrEnum):
    """A role as it stands in a token's `roles`."""

    VIEWER = "viewer"
    MAINTAINER = "maintainer"
    INGEST = "ingest"
    ADMIN = "admin"


class Permission(StrEnum):
    """Something a request may need."""

    READ = "read"
    RECORD = "record"
    MANAGE = "manage"
    PROVISION = "provision"
    ADMINISTER = "administer"


# A token made for a build machine can write and nothing else: leaked, it shows nobody's figures.
GRANTS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.MAINTAINER: frozenset({Permission.READ, Permission.MANAGE}),
    Role.INGEST: frozenset({Permission.RECORD}),
    Role.ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """The holder of a verified token; an admin sees every project."""

    subject: str
    roles: frozenset[Role]
    project_slugs: frozenset[str]
    # Set where it is a service token's.
    token_id: UUID | None = None

    @property
    def key(self) -> str:
        """Who it is, for limits and the audit log: no two of different kinds are equal."""
        return f"token:{self.token_id}" if self.token_id else f"subject:{self.subject}"

    @property
    def is_admin(self) -> bool:
        return Role.ADMIN in self.roles

    def may_name(self, slug: str) -> bool:
        """Whether a project of this slug would be in scope, which does not say there is one.

        Slugs that are not are never looked up, so that no delay tells which of them exist.
        """
        return self.is_admin or slug in self.project_slugs

    def may(self, permission: Permission) -> bool:
        return any(permission in GRANTS[role] for role in self.roles)

    def require(self, permission: Permission) -> None:
        if not self.may(permission):
            raise Forbidden(f"This token's roles do not include permission to {permission.value}.")
