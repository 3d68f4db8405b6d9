"""Verdicts on deployments."""

from typing import Annotated, Any

import strawberry

from access.viewers import Permission
from analytics import verdicts, watched
from analytics.periods import Duration
from analytics.significance import Sample
from resolvers import entity_fields
from resolvers import verdicts as resolvers
from resolvers.entities import Deployment, Links
from resolvers.verdict_messages import sentence
from schema.declarations import STATEMENT, field, typed
from schema.enums import described, enum_of
from schema.figures.ranges import TimeSpan
from schema.info import Info
from schema.lists.rows import IdArgument
from schema.nodes import instances_of
from schema.scalars import Long
from schema.things.given import read
from storage.facts.deployments import DEPLOYMENTS

# Slices of four comparisons, each with a history by the hour.
VERDICT_WEIGHT = 5 * STATEMENT
# The facts that it reads.
FACTS = (DEPLOYMENTS.name, *dict.fromkeys(each.fact.name for each in watched.WATCHED))

WindowArgument = Annotated[
    Duration | None,
    strawberry.argument(
        "The time after its finish that is judged: from 5 minutes to 24 hours; 30 minutes by "
        "default."
    ),
]


VerdictOutcome = enum_of(
    "VerdictOutcome",
    "The outcome of a verdict or of one of its comparisons.",
    described(
        verdicts.Outcome,
        "Nothing became worse, and the data would have shown it.",
        "Something became worse, or the deployment failed.",
        "The data cannot tell.",
        "The window has not passed.",
    ),
)
VerdictSubject = enum_of(
    "VerdictSubject",
    "What a verdict compares.",
    described(
        watched.Subject,
        "Occurrences of errors per hour.",
        "The share of invocations that failed.",
        "The share of API calls with a status from 500 to 599.",
        "The share of API calls slower than 90 % of the baseline's.",
    ),
)
VerdictReason = enum_of(
    "VerdictReason",
    "Why a comparison has its outcome.",
    described(
        verdicts.Reason,
        "The rate is higher than chance explains.",
        "A much higher rate would have shown.",
        "Fewer than three of the days before have data in the same hours.",
        "Even a much higher rate would not show.",
        "The window has no calls or invocations.",
        "The rate was too high already before the deployment started.",
    ),
)


@strawberry.type(description="Events, and the time or the trials in which they happened.")
class RateSample:
    events: Long = read("The number of events.")
    exposure: float = read(
        "The hours in which they happened; of invocations and calls, their number."
    )
    rate: float = read("Events per hour, invocation or call.")

    is_type_of = instances_of(Sample)


@strawberry.type(
    description="The window after a deployment, compared with the same hours of the 7 days before."
)
class VerdictComparison:
    subject: Any = typed(VerdictSubject, "What is compared.")
    outcome: Any = typed(VerdictOutcome, "The outcome.")
    reason: Any = typed(VerdictReason, "The reason for the outcome.")
    after: RateSample = read("The window.")
    baseline: RateSample = read("The same hours of the days before.")
    days: int = read("The days with data in these hours.")
    expected: float = read("The events expected in the window at the baseline's rate.")
    p_value: float = read(
        "The probability of so many events or more if nothing has changed, adjusted "
        "for the number of comparisons. At most 0.01 is worse."
    )
    detectable: Long | None = read(
        "The fewest events that would have been worse; null without a baseline."
    )
    threshold_ms: float | None = read(
        "The duration from which calls are slow, in milliseconds; null if not about latency."
    )

    @strawberry.field(description="The comparison in a sentence.")
    def message(self, parent: strawberry.Parent[verdicts.Comparison]) -> str:
        return sentence(parent)

    is_type_of = instances_of(verdicts.Comparison)


@strawberry.type(description="Whether things became worse after a deployment.")
class DeploymentVerdict:
    outcome: Any = typed(VerdictOutcome, "The outcome.")
    message: str = read("The verdict in a sentence or two.")
    range: TimeSpan | None = read(
        "The window that is judged; null if the deployment has not finished."
    )
    comparisons: list[VerdictComparison] = read(
        "The evidence: a comparison for each subject that has data."
    )

    is_type_of = instances_of(resolvers.Verdict)


async def verdict_of(
    info: Info, deployment: Deployment, window: Duration | None
) -> DeploymentVerdict:
    """The verdict on a deployment."""
    length = resolvers.window_of(window)
    return await resolvers.verdict(info.context, deployment, length)  # type: ignore[return-value]


@strawberry.type
class VerdictQueries:
    @field(
        Permission.READ,
        "The verdict on a deployment: whether errors, function failures, API errors or latency "
        "became worse in the time after it; null if you can see no such deployment.",
        facts=FACTS,
        weight=VERDICT_WEIGHT,
    )
    async def deployment_verdict(
        self, info: Info, id: IdArgument, window: WindowArgument = None
    ) -> DeploymentVerdict | None:
        resolvers.window_of(window)  # refused whether the deployment exists or not
        found = await entity_fields.entity(info.context, Deployment, id, Links())
        return None if found is None else await verdict_of(info, found, window)
