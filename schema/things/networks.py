"""The type of networks, which deployments run on."""

from datetime import datetime

import strawberry

from resolvers import provisioned as resolvers
from schema.figures.fields import with_statistics
from schema.nodes import Node, instances_of
from storage.dimensions import NETWORK


@strawberry.type(description="A network that deployments run on.")
@with_statistics({NETWORK: "network_id"})
class Network(Node):
    name: str = strawberry.field(description="The name, in lower case.")
    title: str = strawberry.field(description="The name for people.")
    chain_id: str | None = strawberry.field(
        description="The chain id, in decimal digits; null if it has none."
    )
    created_at: datetime = strawberry.field(description="When the gateway first stored it.")

    is_type_of = instances_of(resolvers.Network)
