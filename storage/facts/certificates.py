"""Certificates of domains: status events as received, and the states folded from them."""

from enum import IntEnum

from sqlalchemy import Column, DateTime, Index, Text
from sqlalchemy.dialects.postgresql import JSONB

from storage.dimensions import DOMAIN, ENVIRONMENT, ISSUER
from storage.facts.fact import Cell, Expiry, Histogram
from storage.facts.lifecycle import Lifecycle
from storage.facts.parts import entity


class CertificateStatus(IntEnum):
    """The status of a certificate, and the type of the event that leads to it."""

    REQUESTED = 0
    ISSUED = 1
    RENEWED = 2  # issued in place of an earlier one
    FAILED = 3
    REMOVED = 4


_IN_FORCE = (CertificateStatus.ISSUED, CertificateStatus.RENEWED)
_DIMENSIONS = (DOMAIN, ISSUER, ENVIRONMENT)

CERTIFICATES = entity(
    "certificate",
    stem="Certificate",
    noun="certificates",
    lifecycle=Lifecycle(
        status_of={status: status for status in CertificateStatus},
        rank_of={
            CertificateStatus.REQUESTED: 0,
            **dict.fromkeys((*_IN_FORCE, CertificateStatus.FAILED), 2),
            CertificateStatus.REMOVED: 3,
        },
        starts=(CertificateStatus.REQUESTED,),
        start=CertificateStatus.REQUESTED,
        creation=CertificateStatus.REQUESTED,
        # What was removed had been issued.
        successes=(*_IN_FORCE, CertificateStatus.REMOVED),
        rest=None,
    ),
    dimensions=_DIMENSIONS,
    columns=(
        Column("not_before", DateTime(timezone=True)),
        Column("not_after", DateTime(timezone=True)),
        Column("error", Text),
        Column("attributes", JSONB),
    ),
    cells=(
        Cell(1, "issuer", (ISSUER,), of_platform=False),
        Cell(2, "finest", _DIMENSIONS, of_platform=False),
    ),
    # From a quarter of a second to three days: 20 doublings of 256 ms.
    histogram=Histogram(base_us=256_000),
    expiry=Expiry("not_after", DOMAIN, ENVIRONMENT, _IN_FORCE),
    series_at_most=5_000,
)
_of = CERTIFICATES.table.c
Index("certificates_expiry_idx", _of.project_id, _of.not_after.desc(), _of.certificate_id)
Index("certificates_domain_idx", _of.project_id, _of.domain, _of.finished_at)
