"""Events of deployments."""

from ingest.events import MAX_ACTOR_LENGTH
from ingest.wire.kinds import Identifier, Name
from ingest.wire.wire import Field, entity_wire
from storage.facts.deployments import DEPLOYMENTS

WIRE = entity_wire(
    DEPLOYMENTS,
    (
        Field("network", Name(lower=True), ("chain",), about="The network's name."),
        Field("actor", Name(MAX_ACTOR_LENGTH), about="Who caused it."),
        Field(
            "toDeployment",
            Identifier(),
            about="For a rollback: the id of the deployment that is live again.",
        ),
    ),
    bare=True,
)
