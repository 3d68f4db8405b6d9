"""Verdicts on deployments."""

from enum import Enum
from typing import Annotated

import strawberry

from access.viewers import Permission
from analytics import verdicts, watched
from analytics.periods import Duration
from resolvers import entity_fields
from resolvers import verdicts as resolvers
from resolvers.entities import Deployment, Links
from resolvers.verdict_messages import exposure_unit, sentence
from schema.declarations import STATEMENT, field
from schema.figures.ranges import TimeSpan
from schema.info import Info
from schema.lists.rows import IdArgument
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


@strawberry.enum(description="The outcome of a verdict or of one of its comparisons.")
class VerdictOutcome(Enum):
    PASS = strawberry.enum_value(
        verdicts.Outcome.PASS, description="Nothing became worse, and the data would have shown it."
    )
    FAIL = strawberry.enum_value(
        verdicts.Outcome.FAIL, description="Something became worse, or the deployment failed."
    )
    INCONCLUSIVE = strawberry.enum_value(
        verdicts.Outcome.INCONCLUSIVE, description="The data cannot tell."
    )
    PENDING = strawberry.enum_value(
        verdicts.Outcome.PENDING, description="The window has not passed."
    )


@strawberry.enum(description="What a verdict compares.")
class VerdictSubject(Enum):
    ERRORS = strawberry.enum_value(
        watched.Subject.ERRORS, description="Occurrences of errors per hour."
    )
    FUNCTION_FAILURES = strawberry.enum_value(
        watched.Subject.FUNCTION_FAILURES, description="The share of invocations that failed."
    )
    API_ERRORS = strawberry.enum_value(
        watched.Subject.API_ERRORS,
        description="The share of API calls with a status from 500 to 599.",
    )
    API_LATENCY = strawberry.enum_value(
        watched.Subject.API_LATENCY,
        description="The share of API calls slower than 90 % of the baseline's.",
    )


@strawberry.enum(description="Why a comparison has its outcome.")
class VerdictReason(Enum):
    WORSE = strawberry.enum_value(
        verdicts.Reason.WORSE, description="The rate is higher than chance explains."
    )
    NOT_WORSE = strawberry.enum_value(
        verdicts.Reason.NOT_WORSE, description="A much higher rate would have shown."
    )
    TOO_FEW_DAYS = strawberry.enum_value(
        verdicts.Reason.TOO_FEW_DAYS,
        description="Fewer than three of the days before have data in the same hours.",
    )
    TOO_FEW_EVENTS = strawberry.enum_value(
        verdicts.Reason.TOO_FEW_EVENTS, description="Even a much higher rate would not show."
    )
    NO_TRAFFIC = strawberry.enum_value(
        verdicts.Reason.NO_TRAFFIC, description="The window has no calls or invocations."
    )
    WORSE_BEFORE = strawberry.enum_value(
        verdicts.Reason.WORSE_BEFORE,
        description="The rate was too high already before the deployment started.",
    )


@strawberry.type(
    description="The window after a deployment, compared with the same hours of the 7 days before."
)
class VerdictComparison:
    subject: VerdictSubject = strawberry.field(description="What is compared.")
    outcome: VerdictOutcome = strawberry.field(description="The outcome.")
    reason: VerdictReason = strawberry.field(description="The reason for the outcome.")
    message: str = strawberry.field(description="The comparison in a sentence.")
    exposure_unit: str = strawberry.field(
        description="What exposure is measured in: hours, invocations or calls."
    )
    events: int = strawberry.field(description="The events in the window.")
    exposure: float = strawberry.field(description="The exposure of the window.")
    rate: float = strawberry.field(description="Events per unit of exposure in the window.")
    baseline_events: int = strawberry.field(
        description="The events in the same hours of the days before."
    )
    baseline_exposure: float = strawberry.field(description="The exposure of these hours.")
    baseline_rate: float = strawberry.field(
        description="Events per unit of exposure in these hours."
    )
    baseline_days: int = strawberry.field(description="The days with data in these hours.")
    expected: float = strawberry.field(
        description="The events expected in the window at the baseline's rate."
    )
    p_value: float = strawberry.field(
        description="The probability of so many events or more if nothing has changed, adjusted "
        "for the number of comparisons. At most 0.01 is worse."
    )
    detectable_events: int | None = strawberry.field(
        description="The fewest events that would have been worse; null without a baseline."
    )
    threshold_ms: float | None = strawberry.field(
        description="The duration from which calls are slow, in milliseconds; null if not about "
        "latency."
    )

    @classmethod
    def of(cls, found: verdicts.Comparison) -> "VerdictComparison":
        return cls(
            subject=VerdictSubject(found.subject),
            outcome=VerdictOutcome(found.outcome),
            reason=VerdictReason(found.reason),
            message=sentence(found),
            exposure_unit=exposure_unit(found.subject),
            events=found.after.events,
            exposure=found.after.exposure,
            rate=found.after.rate,
            baseline_events=found.baseline.events,
            baseline_exposure=found.baseline.exposure,
            baseline_rate=found.baseline.rate,
            baseline_days=found.days,
            expected=found.expected,
            p_value=found.p_value,
            detectable_events=found.detectable,
            threshold_ms=found.threshold_ms,
        )


@strawberry.type(description="Whether things became worse after a deployment.")
class DeploymentVerdict:
    outcome: VerdictOutcome = strawberry.field(description="The outcome.")
    message: str = strawberry.field(description="The verdict in a sentence or two.")
    range: TimeSpan | None = strawberry.field(
        description="The window that is judged; null if the deployment has not finished."
    )
    comparisons: list[VerdictComparison] = strawberry.field(
        description="The evidence: a comparison for each subject that has data."
    )

    @classmethod
    def of(cls, found: resolvers.Verdict) -> "DeploymentVerdict":
        span = found.range
        return cls(
            outcome=VerdictOutcome(found.outcome),
            message=found.message,
            range=None if span is None else TimeSpan(start=span.start, end=span.end),
            comparisons=list(map(VerdictComparison.of, found.comparisons)),
        )


async def verdict_of(
    info: Info, deployment: Deployment, window: Duration | None
) -> DeploymentVerdict:
    """The verdict on a deployment."""
    length = resolvers.window_of(window)
    return DeploymentVerdict.of(await resolvers.verdict(info.context, deployment, length))


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
