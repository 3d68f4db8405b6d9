"""What may have caused an error: the deployments before it began."""

from datetime import datetime
from typing import Any

import strawberry

from analytics.suspects import Suspicion
from resolvers import suspects as resolvers
from resolvers.entities import Links
from schema.declarations import STATEMENT, costs
from schema.enums import described, enum_of
from schema.info import Info
from schema.lists.links import links
from schema.nodes import instances_of
from schema.selection import Selected, Selection, look_ahead
from schema.things.deployments import Deployment
from schema.things.given import typed
from schema.things.verdicts import RateSample
from storage.facts.deployments import DEPLOYMENTS

ErrorChange = enum_of(
    "ErrorChange",
    "What happened to an error.",
    described(
        resolvers.Change,
        "It occurred for the first time.",
        "It occurred again after it had been resolved.",
        "It occurred much more often than in the same hours of the days before.",
    ),
)
DeploymentSuspicion = enum_of(
    "DeploymentSuspicion",
    "How likely it is that a deployment caused an error.",
    described(
        Suspicion,
        "Chance hardly explains that the error began so soon after it, or the error is in its "
        "release and in no earlier one.",
        "The data cannot tell.",
        "The error is not more frequent after it, or would have begun sooner.",
    ),
)


@strawberry.type(description="A deployment that finished in the day before an error began.")
class SuspectDeployment:
    deployment: Deployment = strawberry.field(description="The deployment.")
    suspicion: Any = typed(DeploymentSuspicion, "How likely it is that it caused the error.")
    p_value: float = strawberry.field(
        description="The probability that the error begins so soon after a deployment, and is so "
        "frequent, by chance; adjusted for the number of deployments. At most 0.01 is suspect."
    )
    before: RateSample = strawberry.field(description="The occurrences in the 24 hours before it.")
    after: RateSample = strawberry.field(
        description="The occurrences since it finished, up to an hour after the error began."
    )
    is_release: bool = strawberry.field(
        description="True if the error occurs in its release and in no earlier one. That is "
        "evidence of its own, whatever the p-value."
    )
    previous: Deployment | None = strawberry.field(
        description="The deployment to the same environment, network and template before it; null "
        "if there is none in the 28 days before the error began."
    )
    from_commit: str | None = strawberry.field(
        description="The commit of the previous deployment; null if unknown."
    )
    to_commit: str | None = strawberry.field(description="Its commit; null if unknown.")
    compare_url: str | None = strawberry.field(
        description="A page with the commits between, on GitHub, GitLab, Bitbucket, Gitea, Forgejo "
        "or Codeberg; null if unknown."
    )

    is_type_of = instances_of(resolvers.SuspectDeployment)


@strawberry.type(description="The latest change of an error, and what may have caused it.")
class ErrorSuspects:
    change: Any = typed(ErrorChange, "What happened.")
    at: datetime = strawberry.field(description="When.")
    deployments: list[SuspectDeployment] = strawberry.field(
        description="The deployments in the 24 hours before, the likeliest first, at most 20."
    )

    is_type_of = instances_of(resolvers.Suspects)


def _links_of_deployments(selection: Selection, fields: list[Selected]) -> Links:
    below = selection.below(selection.below(fields, "deployments"), "deployment", "previous")
    return links(selection, below)


@strawberry.type
class ErrorCauses:
    """The fields of an error about its causes."""

    @strawberry.field(
        description="The latest change of the error, and the deployments that may have caused it; "
        "null on error.",
        metadata=costs(weight=5 * STATEMENT, facts=(DEPLOYMENTS.name,)),
    )
    async def suspects(
        self, parent: strawberry.Parent[resolvers.Error], info: Info
    ) -> ErrorSuspects | None:
        wanted = look_ahead(info, _links_of_deployments)
        return await resolvers.suspects(info.context, parent, wanted)  # type: ignore[return-value]
