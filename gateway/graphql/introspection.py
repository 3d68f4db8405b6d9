"""Who may query the schema by introspection. Without a token nobody may query anything."""

from collections.abc import Set
from enum import Enum

from access.viewers import Permission, Viewer
from gateway.config.settings import Settings
from schema.declarations import SCHEMA_FIELDS
from storage.errors import Forbidden


class Introspection(Enum):
    """The viewers who may use introspection."""

    EVERYBODY = "everybody"
    MANAGERS = "managers"
    NOBODY = "nobody"

    @classmethod
    def of(cls, settings: Settings) -> "Introspection":
        if settings.graphql_introspection == "auto":
            return cls.EVERYBODY if settings.environment == "demo" else cls.MANAGERS
        return cls.EVERYBODY if settings.graphql_introspection == "on" else cls.NOBODY

    def require(self, viewer: Viewer, roots: Set[str]) -> None:
        """Raise Forbidden if the root fields query the schema and the viewer may not."""
        if SCHEMA_FIELDS.isdisjoint(roots) or self is Introspection.EVERYBODY:
            return
        if self is Introspection.NOBODY or not viewer.may(Permission.MANAGE):
            raise Forbidden(
                "Introspection is not allowed with this token: read schema.graphql instead."
            )
