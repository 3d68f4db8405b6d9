"""The sentences that say what a verdict is and why."""

from collections.abc import Sequence

from analytics.verdicts import Comparison, Outcome, Reason
from analytics.watched import Subject

# The noun of the events of each subject, and that of their exposure.
_NOUNS = {
    Subject.ERRORS: ("error occurrences", "hours"),
    Subject.FUNCTION_FAILURES: ("failed invocations", "invocations"),
    Subject.API_ERRORS: ("API calls with a status from 500 to 599", "calls"),
    Subject.API_LATENCY: ("slow API calls", "calls"),
}

_REASONS = {
    Reason.WORSE: "That is worse.",
    Reason.NOT_WORSE: "That is not worse.",
    Reason.TOO_FEW_DAYS: "There are too few days before it to compare with.",
    Reason.TOO_FEW_EVENTS: "There is too little data to tell.",
    Reason.NO_TRAFFIC: "There was no traffic to judge by.",
    Reason.WORSE_BEFORE: "It was worse already before the deployment.",
}


def message_of(outcome: Outcome, comparisons: Sequence[Comparison]) -> str:
    """Says the outcome of all comparisons in a sentence or two."""
    if not comparisons:
        return "There are no errors, invocations or API calls to compare."
    if outcome is Outcome.PASS:
        nouns = [_NOUNS[each.subject][0] for each in comparisons]
        return f"Nothing is worse than in the same hours of the days before: {', '.join(nouns)}."
    return " ".join(sentence(each) for each in comparisons if each.outcome is outcome)


def sentence(comparison: Comparison) -> str:
    """Says what a comparison found, with its numbers."""
    events, exposure = _NOUNS[comparison.subject]
    after = comparison.after
    numbers = f"{after.events:,} {events}"
    if exposure != "hours":
        numbers += f" of {int(after.exposure):,}"
    if comparison.threshold_ms is not None:
        numbers += f" (above {comparison.threshold_ms:,.0f} ms)"
    numbers += f", {_number(comparison.expected)} expected"
    if comparison.outcome is not Outcome.PASS and comparison.reason is Reason.WORSE:
        numbers += f" (p = {comparison.p_value:.2g})"
    return f"{numbers}. {_REASONS[comparison.reason]}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"
