"""What may have caused an error: deployments before it, and what other projects share."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from access.viewers import Permission
from analytics.suspects import Suspicion
from resolvers import signatures
from resolvers import suspects as resolvers
from resolvers.entities import Links
from resolvers.errors import Error
from resolvers.signatures import LEAST_PROJECTS
from schema.declarations import HALF_STATEMENT, STATEMENT, costs, field, typed
from schema.enums import described, enum_of
from schema.figures.ranges import UTC, RangeArgument, to_range
from schema.info import Info
from schema.lists.links import links
from schema.nodes import instances_of
from schema.scalars import Long
from schema.selection import Selected, Selection, look_ahead
from schema.things.deployments import Deployment
from schema.things.given import link, read
from schema.things.verdicts import RateSample
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES

if TYPE_CHECKING:
    from schema.things.projects import Project

ErrorChangeKind = enum_of(
    "ErrorChangeKind",
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
    deployment: Deployment = strawberry.field(
        description="The deployment.", metadata=costs(facts=(DEPLOYMENTS.name,))
    )
    suspicion: Any = typed(DeploymentSuspicion, "How likely it is that it caused the error.")
    p_value: float = read(
        "The probability that the error begins so soon after a deployment, and is so "
        "frequent, by chance; adjusted for the number of deployments. At most 0.01 is suspect."
    )
    before: RateSample = read("The occurrences in the 24 hours before it.")
    after: RateSample = read(
        "The occurrences since it finished, up to an hour after the error began."
    )
    began_with_release: bool = read(
        "True if the error occurs in its release and in no earlier one. That is "
        "evidence of its own, whatever the p-value."
    )
    previous: Deployment | None = strawberry.field(
        description="The deployment to the same environment, network and template before it; null "
        "if there is none in the 28 days before the error began.",
        metadata=costs(facts=(DEPLOYMENTS.name,)),
    )
    from_commit: str | None = read("The commit of the previous deployment; null if unknown.")
    to_commit: str | None = read("Its commit; null if unknown.")
    compare_url: str | None = read(
        "A page with the commits between, on GitHub, GitLab, Bitbucket, Gitea, Forgejo "
        "or Codeberg; null if unknown."
    )

    is_type_of = instances_of(resolvers.SuspectDeployment)


@strawberry.type(description="The latest change of an error, and what may have caused it.")
class ErrorSuspects:
    change: Any = typed(ErrorChangeKind, "What happened.")
    at: datetime = read("When.")
    deployments: list[SuspectDeployment] = read(
        "The deployments in the 24 hours before, the likeliest first, at most 20."
    )

    is_type_of = instances_of(resolvers.Suspects)


@strawberry.type(description="The number of projects on a network, or with a template.")
class PlaceCount:
    name: str = read("The network's name or the template's slug.")
    projects: int = read("The number of projects.")

    is_type_of = instances_of(signatures.PlaceCount)


@strawberry.type(
    description="In how many projects the same failure occurred in the last 30 days. Nothing that "
    f"fewer than {LEAST_PROJECTS} projects have is counted; the counts are up to a minute old."
)
class ErrorSpread:
    projects: int = read("The number of projects, this one included.")
    since: datetime = read("When it first occurred in any of them.")
    networks: list[PlaceCount] = read("By network, most projects first.")
    templates: list[PlaceCount] = read("By template, most projects first.")

    is_type_of = instances_of(signatures.Spread)


FailureCauseKind = enum_of(
    "FailureCauseKind",
    "What explains a failure.",
    described(signatures.Kind, "A network.", "A template."),
)


@strawberry.type(
    description="A network or template that explains a failure: by Fisher's exact test, its "
    "projects have the failure more often than the others do."
)
class FailureCause:
    kind: Any = typed(FailureCauseKind, "What it is.")
    name: str = read("The network's name or the template's slug.")
    projects: int = read("The projects there that have the failure.")
    share: float = read("The fraction of the projects with the failure that is there.")
    usual_share: float = read("The fraction of all projects that is there.")
    p_value: float = read(
        "The probability of so many there by chance, adjusted for the number of tests."
    )

    is_type_of = instances_of(signatures.Cause)


@strawberry.type(description="A failure that is the same in several projects.")
class FailureSignature:
    signature: UUID = read("Its fingerprint without the project.")
    title: str = read("The title of the error where it occurs most.")
    occurrences: Long = read("The occurrences in the range.")
    first_at: datetime = read("When it first occurred in any project.")
    project_count: int = read("The number of projects that have it.")
    networks: list[PlaceCount] = read("By network, most projects first.")
    templates: list[PlaceCount] = read("By template, most projects first.")
    causes: list[FailureCause] = read(
        "The network and the template that explain it, the likelier first; empty if none does."
    )

    @strawberry.field(
        description=f"The projects that have it, at most {signatures.PROJECTS_AT_MOST}, most "
        "occurrences first; null on error.",
        metadata=costs(weight=HALF_STATEMENT, items=signatures.PROJECTS_AT_MOST),
    )
    async def projects(
        self, parent: strawberry.Parent[signatures.FailureSignature], info: Info
    ) -> list[Annotated["Project", strawberry.lazy(".projects")]] | None:
        return await signatures.projects_of(info.context, parent)  # type: ignore[return-value]

    is_type_of = instances_of(signatures.FailureSignature)


@strawberry.type
class SignatureQueries:
    @field(
        Permission.ADMINISTER,
        "The failures that most projects have in the whole UTC days of a range; null on error.",
        facts=(ERROR_OCCURRENCES.name, DEPLOYMENTS.name),
        weight=10 * STATEMENT,
        items=10,
    )
    async def failure_signatures(
        self,
        info: Info,
        range: RangeArgument = None,
        first: Annotated[
            int,
            strawberry.argument(f"The number of them, at most {signatures.SIGNATURES_AT_MOST}."),
        ] = 10,
    ) -> list[FailureSignature] | None:
        span = to_range(info.context, range, UTC)
        return await signatures.failure_signatures(info.context, span, first)  # type: ignore[return-value]


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
    async def suspects(self, parent: strawberry.Parent[Error], info: Info) -> ErrorSuspects | None:
        wanted = look_ahead(info, _links_of_deployments)
        return await resolvers.suspects(info.context, parent, wanted)  # type: ignore[return-value]

    spread = link(
        signatures.spread,
        ErrorSpread | None,
        "In how many projects the same failure occurs; null if in fewer than "
        f"{LEAST_PROJECTS}, and on error.",
        weight=2 * STATEMENT,
    )
