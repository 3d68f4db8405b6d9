"""Events of the certificates of domains."""

from ingest.wire.kinds import Moment, Name
from ingest.wire.wire import Field, entity_wire
from storage.facts.certificates import CERTIFICATES, CertificateStatus

WIRE = entity_wire(
    CERTIFICATES,
    (
        Field(
            "domain",
            Name(lower=True),
            ("domainName", "hostname"),
            required=True,
            about="The domain that it is for.",
        ),
        Field("issuer", Name(), about="Who issued it."),
        Field("notBefore", Moment(), ("validFrom",), about="When it begins to be valid."),
        Field("notAfter", Moment(), ("validTo", "expiresAt"), about="When it expires."),
    ),
    words={
        CertificateStatus.REQUESTED: ("requested", "ordered", "pending"),
        CertificateStatus.ISSUED: ("issued", "created"),
        CertificateStatus.RENEWED: ("renewed", "reissued"),
        CertificateStatus.FAILED: ("failed", "failure", "error"),
        CertificateStatus.REMOVED: ("removed", "revoked", "deleted"),
    },
)
