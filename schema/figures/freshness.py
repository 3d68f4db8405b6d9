"""Freshness: how recent and how exact figures are."""

from datetime import datetime
from enum import Enum

import strawberry

from analytics import answer


@strawberry.enum(description="The tables that figures were read from.")
class Source(Enum):
    RAW = strawberry.enum_value(answer.Source.RAW, description="The deployments.")
    ROLLUP = strawberry.enum_value(
        answer.Source.ROLLUP, description="Roll-ups, which every event updates."
    )
    MIXED = strawberry.enum_value(answer.Source.MIXED, description="Both.")


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
        description="True if part of the range is stored by UTC day, which another time zone cuts."
    )
