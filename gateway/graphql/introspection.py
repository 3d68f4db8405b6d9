"""Who may ask the API for its schema; without a token nobody may ask for anything."""

from collections.abc import Set
from enum import Enum

from access.viewers import Permission, Viewer
from gateway.config.settings import Settings
from schema.declarations import SCHEMA_FIELDS
from storage.errors import Forbidden


class Introspection(Enum):
    EVERYBODY = "everybody"
    MANAGERS = "managers"
    NOBODY = "nobody"

    @classmethod
    def of(cls, settings: Settings) -> "Introspection":
        if settings.graphql_introspection == "auto":
            return cls.EVERYBODY if settings.environment == "demo" else cls.MANAGERS
        return cls.EVERYBODY if settings.graphql_introspection == "on" else cls.NOBODY

    def require(self, viewer: Viewer, roots: Set[str]) -> None:
        """Refuse an operation with these root fields where it asks for the schema."""
        if SCHEMA_FIELDS.isdisjoint(roots) or self is Introspection.EVERYBODY:
            return
        if self is Introspection.NOBODY or not viewer.may(Permission.MANAGE):
            raise Forbidden(
                "This gateway does not tell its schema to this token; schema.graphql holds it."
            )
