"""Real errors are grouped as a person would group them; docs/errors.md shows how."""

from collections import defaultdict

import pytest

from ingest.errors.grouping import Grouping, group
from tests.ingest.errors.real_errors import SOURCES, Real
from tests.test_docs import DOCS

# Of long values, the page shows beginning and end.
_HEAD, _TAIL = 32, 60
PAGE = (DOCS / "errors.md").read_text()


def grouped(source: str) -> list[tuple[list[Real], Grouping]]:
    """The errors of a source with their occurrences, most frequent first."""
    found: defaultdict[str, list[Real]] = defaultdict(list)
    grouping = {}
    for real in SOURCES[source]():
        decided = group(real.body)
        found[decided.signature].append(real)
        grouping[decided.signature] = decided
    ordered = sorted(found, key=lambda each: -len(found[each]))
    return [(found[signature], grouping[signature]) for signature in ordered]


def row(occurrences: list[Real], decided: Grouping) -> str:
    """The beginning of a row of the page's table: number, the last value and the kind of parts."""
    values = " · ".join(part.values[-1] for part in decided.decided_by)
    if len(values) > _HEAD + _TAIL:
        values = f"{values[:_HEAD].rstrip()} … {values[-_TAIL:].lstrip()}"
    kinds = ", ".join(part.kind.value for part in decided.decided_by)
    escaped = values.replace("|", "\\|").replace("`", "'")
    return f"| {len(occurrences)} | `{escaped}` | {kinds} |"


@pytest.mark.parametrize("source", SOURCES)
def test_page_shows_how_real_errors_are_grouped(source: str) -> None:
    errors = grouped(source)
    shown = [row(*each) for each in errors if source != "builds" or len(each[0]) > 1]
    assert [line for line in shown if line not in PAGE] == []
    events = sum(len(occurrences) for occurrences, _ in errors)
    assert f"{events} events, {len(errors)} errors" in PAGE


PHRASES = (
    "No broker in ISR is alive",
    "Not sending request",
    "Cannot remove replica",
    "was unsuccessful",
    "Error for partition",
    "Error in fetch",
    "fails to send request",
)


def test_each_warning_of_kafka_is_one_error() -> None:
    """A person tells them apart by one phrase each."""
    errors = grouped("Kafka")
    phrases = [
        {phrase for real in occurrences for phrase in PHRASES if phrase in real.name}
        for occurrences, _ in errors
    ]
    assert [len(each) for each in phrases] == [1] * len(PHRASES)
    assert set().union(*phrases) == set(PHRASES)


def test_each_failing_test_of_a_build_is_an_error_of_its_own() -> None:
    """Lines that name different test files are never one error."""
    for occurrences, _ in grouped("builds"):
        files = {
            part.strip()
            for real in occurrences
            for part in real.body["message"].split(" | ")[1:2]
            if "/" in part
        }
        assert len(files) <= 1, files


def test_lines_of_one_failure_are_one_error_in_several_builds() -> None:
    errors = grouped("builds")
    of_several = [each for each, _ in errors if len({real.name for real in each}) > 1]
    assert len(of_several) == 2
