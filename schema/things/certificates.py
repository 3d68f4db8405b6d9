"""Certificates of domains, and their status events."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from resolvers import entities as resolvers
from resolvers import entity_fields
from schema.declarations import typed
from schema.enums import event_type_enum, status_enum
from schema.info import Info
from schema.nodes import instances_of
from schema.things.entities import EntityType, StatusEvent, status_events_field
from schema.things.given import given
from storage.facts.certificates import CERTIFICATES


@strawberry.type(description="An event of a certificate.")
class CertificateEvent(StatusEvent):
    type: Any = typed(event_type_enum(CERTIFICATES), "What happened.")
    status: Any = typed(status_enum(CERTIFICATES), "The status it gave the certificate.")


@strawberry.type(description="A certificate of a domain; each renewal is one of its own.")
class Certificate(EntityType):
    certificate_id: UUID = strawberry.field(
        description="The UUID, as sent or derived from the external id."
    )
    status: Any = typed(status_enum(CERTIFICATES), "The status.")
    finished_at: datetime | None = strawberry.field(
        description="When it was issued, renewed or failed; null until then."
    )
    domain: str = strawberry.field(description="The domain that it is for, in lower case.")
    issuer: Any = given(CERTIFICATES, "issuer")
    not_before: Any = given(CERTIFICATES, "not_before")
    not_after: Any = given(CERTIFICATES, "not_after")
    status_events: list[CertificateEvent] | None = status_events_field(CertificateEvent)

    @strawberry.field(
        description="The days until it expires, negative once it has; null if notAfter was not "
        "sent."
    )
    def days_to_expiry(
        self, parent: strawberry.Parent[resolvers.Certificate], info: Info
    ) -> float | None:
        return entity_fields.days_to_expiry(info.context, parent)

    is_type_of = instances_of(resolvers.Certificate)
