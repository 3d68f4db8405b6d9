"""Freshness: how recent and how exact figures are."""

from datetime import datetime

import strawberry

from schema.enums import Source


@strawberry.type(description="How recent and how exact figures are.")
class Freshness:
    as_of: datetime = strawberry.field(
        description="Every event acknowledged before this time is counted."
    )
    source: Source = strawberry.field(description="The tables that the figures were read from.")
    complete: bool = strawberry.field(
        description="True if the range is over and stored in full; only late events change it."
    )
    approximate: bool = strawberry.field(
        description="True if edges were rounded to UTC days or quarter hours; finer data is gone."
    )
