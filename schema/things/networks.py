"""The type of networks, which deployments run on."""

from datetime import datetime

import strawberry

from resolvers import provisioned as resolvers
from schema.figures.fields import with_statistics
from schema.nodes import Node, instances_of
from schema.things.error_links import errors_field
from storage.dimensions import NETWORK
from storage.queries.errors.related import newest_of_dimension


@strawberry.type(description="A network that deployments run on.")
@with_statistics({NETWORK: "network_id"})
class Network(Node):
    name: str = strawberry.field(description="The name, in lower case.")
    title: str = strawberry.field(description="The name for people.")
    chain_id: str | None = strawberry.field(
        description="The chain id, in decimal digits; null if it has none."
    )
    created_at: datetime = strawberry.field(description="When the gateway first stored it.")

    errors = errors_field(
        newest_of_dimension(NETWORK),
        lambda parent: (parent.network_id,),
        "that you can see and that occurred on it",
    )

    is_type_of = instances_of(resolvers.Network)
