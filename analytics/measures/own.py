"""The measures that a fact has beside those of its kind."""

from analytics.measures.builder import Builder, Term
from analytics.measures.lifecycle import finished
from analytics.measures.measure import Measure
from storage.facts.build_phases import BUILD_PHASES
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Fact
from storage.facts.invocations import INVOCATIONS


def _part(fact: Fact, part: Term, rate: str, noun: str, which: str) -> tuple[Measure, Measure]:
    """The number of those rows of a fact, and their fraction of all."""
    of, start = Builder(fact), noun[0].upper() + noun[1:]  # `capitalize` would write "Api"
    return (
        of.count(part, f"{start} {which}."),
        of.rate(rate, part, fact.leading, f"Fraction of the {noun} {which}."),
    )


OWN: dict[Fact, tuple[Measure, ...]] = {
    DEPLOYMENTS: (
        Builder(DEPLOYMENTS).rate(
            "rollback_rate",
            "rolled_back",
            finished(DEPLOYMENTS),
            "Fraction of the finished deployments that were rolled back.",
        ),
    ),
    BUILD_PHASES: _part(BUILD_PHASES, "failed", "failure_rate", "phases", "that failed"),
    INVOCATIONS: (
        *_part(INVOCATIONS, "errors", "error_rate", "invocations", "that ended in an error"),
        *_part(
            INVOCATIONS,
            "cold_starts",
            "cold_start_rate",
            "invocations",
            "for which the function had to be loaded first",
        ),
    ),
}
