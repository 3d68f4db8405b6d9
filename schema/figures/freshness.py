"""Freshness: how new and how exact figures are."""

from datetime import datetime
from enum import Enum

import strawberry

from analytics import answer


@strawberry.enum(description="Where figures were read.")
class Source(Enum):
    RAW = strawberry.enum_value(answer.Source.RAW, description="The deployments themselves.")
    ROLLUP = strawberry.enum_value(
        answer.Source.ROLLUP, description="Roll-ups, which change with every event."
    )
    MIXED = strawberry.enum_value(answer.Source.MIXED, description="Both.")


@strawberry.type(description="How new and how exact figures are.")
class Freshness:
    as_of: datetime = strawberry.field(
        description="Everything acknowledged up to this instant is counted."
    )
    source: Source = strawberry.field(description="Where the figures were read.")
    complete: bool = strawberry.field(
        description="The range is over and all of it is still kept: only late events change it."
    )
    approximate: bool = strawberry.field(
        description="Part of the range is only kept as UTC days, which another zone's days cut."
    )
