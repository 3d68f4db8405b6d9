"""Occurrences of errors: a row for each, and its body, which is kept of some."""

from sqlalchemy import BigInteger, Column, Text, Uuid

from storage.dimensions import ENVIRONMENT, ERROR_TYPE, NETWORK, SEVERITY, TEMPLATE
from storage.facts.fact import Cell, Content, EventKeep, PartitionSpan
from storage.facts.parts import append

_DIMENSIONS = (ERROR_TYPE, SEVERITY, ENVIRONMENT, NETWORK, TEMPLATE)

ERROR_OCCURRENCES = append(
    "error_occurrence",
    stem="Error",
    noun="error occurrences",
    leading="occurrences",
    dimensions=_DIMENSIONS,
    columns=(
        Column("fingerprint_id", Uuid, nullable=False),
        Column("user_key", BigInteger),  # a hash of the user's id
        Column("release", Text),
        Column("function", Text),
        Column("deployment_id", Uuid),
    ),
    content=Content(
        names=(
            *("message", "stack_trace", "culprit", "user", "fingerprint", "signature"),
            *("tags", "attributes", "payload"),
        ),
        tables=("error_bodies",),
    ),
    components=(),
    cells=(
        Cell(1, "network", (NETWORK,)),
        Cell(2, "template", (TEMPLATE,)),
        Cell(3, "environment", (ENVIRONMENT,), of_platform=False),
        Cell(4, "kind", (ERROR_TYPE, SEVERITY), of_platform=False),
        Cell(5, "finest", _DIMENSIONS, of_platform=False),
    ),
    histogram=None,
    indexed="fingerprint_id",
    partition=PartitionSpan.WEEK,
    kept=EventKeep.ERRORS,
    series_at_most=2_000,
)
