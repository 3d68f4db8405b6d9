"""The schema, put together."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.environments import Environment
from schema.mutations import Mutation
from schema.queries import Query
from schema.scalars import SCALARS

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[Environment],
    config=StrawberryConfig(scalar_map=SCALARS),
)
