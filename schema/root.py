"""The schema: its root types, put together."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import HasGraphQLName, NameConverter

from schema.enforcement import enforced
from schema.mutations import Mutation
from schema.queries import Query
from schema.scalars import SCALARS
from schema.subscriptions import Subscription
from schema.things.environments import Environment


class Names(NameConverter):
    """Caches GraphQL names, since Strawberry converts names of arguments in each request."""

    def get_graphql_name(self, obj: HasGraphQLName) -> str:
        if obj.graphql_name is None:
            obj.graphql_name = super().get_graphql_name(obj)
        return obj.graphql_name


schema = enforced(
    strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Environment],
        config=StrawberryConfig(name_converter=Names(), scalar_map=SCALARS),
    )
)
