"""docs/events.md agrees with the code: words, fields, codes and limits."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import events as limits
from ingest import intake
from ingest.aliases import COMPLETED, FIELDS, WORDS
from ingest.events import Code, DeploymentEvent
from ingest.formats.reading import read_request, read_value
from ingest.identity import deployment_uuid
from ingest.normaliser import TimeWindow, normalise
from storage.names import MAX_NAME_LENGTH
from storage.series import SERIES_AT_MOST

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of the table under a header row that starts with the heading, by first cell."""
    lines = PAGE.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return {cells[0].strip(" |"): cells[1:] for cells in table}


def names(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_every_field_and_its_other_names_are_described() -> None:
    described = {field.strip("`"): names(cells[0]) for field, cells in rows("Field").items()}
    assert described == {field: set(spelt) - {field} for field, spelt in FIELDS.items()}


def test_every_word_is_described() -> None:
    described = {names(word).pop(): names(cells[0]) for word, cells in rows("Type").items()}
    expected = {
        kind.name.lower(): set(words) - {kind.name.lower()} for kind, words in WORDS.items()
    }
    assert described == expected
    sentence = next(line for line in PAGE.splitlines() if line.startswith("`completed`"))
    assert names(sentence.partition(")")[0]) == COMPLETED


def test_every_code_is_described() -> None:
    described = {
        **rows("Code of a rejection"),
        **rows("Code of an ignored event"),
        **rows("Code of a duplicate"),
        **rows("Code of a note"),
    }
    assert {code.strip("`") for code in described} == set(Code)


def test_every_limit_is_described() -> None:
    table = rows("What")
    numbers = [int(number) for cells in table.values() for number in re.findall(r"\d+", cells[0])]
    assert numbers == [
        limits.MAX_BODY_BYTES,
        limits.MAX_BATCH_EVENTS,
        limits.MAX_ID_LENGTH,
        MAX_NAME_LENGTH,
        limits.MAX_ACTOR_LENGTH,
        limits.MAX_SOURCE_LENGTH,
        limits.MAX_ERROR_LENGTH,
        limits.MAX_ATTRIBUTES_BYTES,
        limits.MAX_ATTRIBUTES_DEPTH,
        limits.MAX_DURATION // timedelta(days=1),
        (NOW - (TimeWindow.at(NOW).oldest or NOW)) // timedelta(days=1),
        limits.FARTHEST_AHEAD // timedelta(days=1),
        intake.BACKLOG_EVENTS,
        intake.BACKLOG_BYTES,
        intake.WAIT_SECONDS,
        SERIES_AT_MOST,
    ]


@pytest.mark.parametrize("example", re.findall(r"```json event\n(.*?)```", PAGE, re.DOTALL))
def test_examples_are_valid_events(example: str) -> None:
    raw = read_value(json.loads(example))
    read = normalise(raw, TimeWindow(None, None))
    assert isinstance(read, DeploymentEvent), read


def dated(text: str) -> str:
    """What the shell would make of the times in an example."""
    return re.sub(r"'?\$\(date .*?\)'?", "2026-11-20T09:30:00Z", text)


@pytest.mark.parametrize("command", re.findall(r"^curl (.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
def test_curl_examples_are_valid_requests(command: str) -> None:
    """The body is read by the headers that go with it."""
    headers = {
        name.lower(): value for name, value in re.findall(r'-H "([^:]+): (.*?)"', dated(command))
    }
    (body,) = re.findall(r"-d '(.*)'\n", dated(command), re.DOTALL)
    (raw,), _size = read_request(headers, body.encode())
    project = headers.get("x-project")
    read = normalise(raw, TimeWindow(None, None), project)
    assert isinstance(read, DeploymentEvent), read
    assert read.project == "shop"


def test_answer_of_the_first_example_names_its_deployment() -> None:
    (text,) = re.findall(r"```json answer\n(.*?)```", PAGE, re.DOTALL)
    (result,) = json.loads(text)["results"]
    assert result["deployment"] == str(deployment_uuid("shop", "run-1042"))
