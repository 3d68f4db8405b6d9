"""Events of deployments."""

from ingest.events import MAX_ACTOR_LENGTH, MAX_SOURCE_LENGTH
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
        Field("release", Name(), ("version",), about="The release that it deploys."),
        Field("commit", Name(), ("sha", "commitSha"), about="The commit that it deploys."),
        Field(
            "repository",
            Name(MAX_SOURCE_LENGTH),
            ("repo", "repositoryUrl"),
            about="The address of the repository that has the commit.",
        ),
    ),
    bare=True,
)
