"""The schema, put together."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.auditing import audited
from schema.environments import Environment
from schema.mutations import Mutation
from schema.permissions import guarded
from schema.queries import Query
from schema.scalars import SCALARS
from schema.subscriptions import Subscription

# From the inside out: what is refused is audited too.
schema = audited(
    guarded(
        strawberry.Schema(
            query=Query,
            mutation=Mutation,
            subscription=Subscription,
            types=[Environment],
            config=StrawberryConfig(scalar_map=SCALARS),
        )
    )
)
