"""The measures that a fact has beside those of its kind."""

from collections.abc import Iterator

from analytics.measures.builder import Builder, Sum, Term
from analytics.measures.lifecycle import finished
from analytics.measures.measure import Measure
from analytics.measures.samples import SAMPLE_MEASURES
from storage.facts.api_calls import API_CALLS
from storage.facts.build_phases import BUILD_PHASES
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Fact
from storage.facts.invocations import INVOCATIONS
from storage.facts.log_lines import LOG_LINES, Level
from storage.facts.model_calls import MODEL_CALLS
from storage.facts.samples import SAMPLES


def _part(fact: Fact, part: Term, rate: str, noun: str, which: str) -> tuple[Measure, Measure]:
    """The number of those rows of a fact, and their fraction of all."""
    of, start = Builder(fact), noun[0].upper() + noun[1:]  # `capitalize` would write "Api"
    return (
        of.count(part, f"{start} {which}."),
        of.rate(rate, part, fact.leading, f"Fraction of the {noun} {which}."),
    )


def _calls(part: Term, rate: str, lowest: int, highest: int) -> tuple[Measure, Measure]:
    which = f"with a status from {lowest} to {highest}"
    return _part(API_CALLS, part, rate, "API calls", which)


def _model_calls() -> tuple[Measure, ...]:
    of, tokens = Builder(MODEL_CALLS), Sum("tokens", ("input_tokens", "output_tokens"))
    return (
        of.count("input_tokens", "Tokens that were sent to the models."),
        of.count("output_tokens", "Tokens that the models answered."),
        of.count(tokens, "Tokens that were sent or answered."),
        of.count("decided", "Model calls whose answer was accepted or rejected."),
        of.count("accepted", "Model calls whose answer was accepted."),
        of.rate(
            "acceptance_rate",
            "accepted",
            "decided",
            "Fraction of the model calls with a decision whose answer was accepted.",
        ),
    )


def _lines_by_level() -> Iterator[Measure]:
    """The number of lines of each level."""
    for level in Level:
        name = level.name.lower()
        yield Builder(LOG_LINES).count(f"{name}_lines", f"Log lines of level {name}.")


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
    API_CALLS: (
        *_calls(Sum("errors", ("client_errors", "server_errors")), "error_rate", 400, 599),
        *_calls("client_errors", "client_error_rate", 400, 499),
        *_calls("server_errors", "server_error_rate", 500, 599),
    ),
    MODEL_CALLS: _model_calls(),
    SAMPLES: SAMPLE_MEASURES,
    LOG_LINES: (
        *_lines_by_level(),
        *_part(
            LOG_LINES,
            Sum("error_or_fatal_lines", ("error_lines", "fatal_lines")),
            "error_or_fatal_rate",
            "log lines",
            "of level error or fatal",
        ),
    ),
}
