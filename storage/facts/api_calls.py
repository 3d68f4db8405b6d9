"""API calls: a row for each response."""

from sqlalchemy import BigInteger, Column, SmallInteger, Text, and_

from storage.dimensions import ENDPOINT, ENVIRONMENT, METHOD
from storage.facts.fact import Cell, Histogram, PartitionSpan
from storage.facts.parts import append, flagged

_DIMENSIONS = (ENDPOINT, ENVIRONMENT, METHOD)
_status = Column("status", SmallInteger, nullable=False)

API_CALLS = append(
    "api_call",
    stem="Api",
    noun="API calls",
    leading="calls",
    dimensions=_DIMENSIONS,
    columns=(Column("response_bytes", BigInteger), _status, Column("actor", Text)),
    components=(
        flagged("client_errors", and_(_status >= 400, _status < 500)),
        flagged("server_errors", _status >= 500),
    ),
    cells=(Cell(1, "finest", _DIMENSIONS, of_platform=False),),
    # From a millisecond to 17 minutes: 20 doublings.
    histogram=Histogram(base_us=1_000),
    partition=PartitionSpan.WEEK,
    series_at_most=5_000,
)
