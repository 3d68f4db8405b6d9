"""docs/events.md agrees with the code: types, fields, codes and limits."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import events as limits
from ingest import intake
from ingest.events import Code, Event
from ingest.formats.reading import read_request, read_value
from ingest.identity import entity_uuid
from ingest.normaliser import TimeWindow, normalise
from ingest.times import MAX_DURATION
from ingest.wire import WIRES
from ingest.wire.kinds import Choice, Labels
from ingest.wire.wire import COMPLETED_WORDS, STATUS_FIELD, WORDS, Field, Wire
from storage.facts.certificates import CERTIFICATES, CertificateStatus
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.error_occurrences import ERROR_OCCURRENCES
from storage.facts.fact import Append
from storage.facts.lifecycle import steps
from storage.facts.samples import LARGEST
from storage.names import MAX_NAME_LENGTH
from tests.ingest.strategies import every_wire

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


def code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def table(fields: Iterable[Field]) -> str:
    """The table of fields as the page must have it."""
    lines = ["| Field | Also read as | Meaning |", "| --- | --- | --- |"]
    for field in fields:
        about = field.about
        if isinstance(field.kind, Choice):
            about += f" One of {code(field.kind.words)}."
        required = " Required." if field.required else ""
        lines.append(f"| `{field.name}` | {code(field.aliases)} | {about}{required} |")
    return "\n".join(lines).replace("|  |", "| |") + "\n"


def own(wire: Wire) -> list[Field]:
    return [field for field in wire.fields if field.name in wire.own_names]


@every_wire
def test_every_field_of_a_fact_is_described(wire: Wire) -> None:
    assert all(field.about for field in wire.fields)
    assert table(own(wire)) in PAGE, table(own(wire))


def test_every_common_field_is_described() -> None:
    wire = WIRES[DEPLOYMENTS.name]
    shared = [field for field in wire.fields if field not in own(wire)]
    assert STATUS_FIELD in shared
    assert table(shared) in PAGE, table(shared)


def test_every_word_is_described() -> None:
    reached = steps(DEPLOYMENTS.lifecycle)
    statuses = {int(status): status.name for status in DEPLOYMENTS.lifecycle.statuses}
    assert rows("Word") == {
        code([words[0]]): [code(words[1:]), statuses[reached[type_].status]]
        for type_, words in WORDS.items()
    }
    sentence = next(line for line in PAGE.splitlines() if line.startswith("`completed`"))
    assert re.findall(r"`([^`]+)`", sentence.partition(")")[0]) == list(COMPLETED_WORDS)


def test_every_word_of_certificates_is_described() -> None:
    wire = WIRES[CERTIFICATES.name]
    assert rows("Event") == {
        code([wire.typed(type_)]): [code(words[1:]), CertificateStatus(type_).name]
        for type_, words in wire.types.items()
    }


def test_every_type_of_an_append_fact_is_described() -> None:
    wires = [wire for wire in WIRES.values() if isinstance(wire.fact, Append)]
    assert rows("Type") == {
        code([wire.typed(type_)]): [code(f"{wire.prefix}.{word}" for word in words[1:])]
        for wire in wires
        for type_, words in wire.types.items()
    }


def test_every_code_is_described() -> None:
    described = {
        **rows("Code of a rejection"),
        **rows("Code of an ignored event"),
        **rows("Code of a duplicate"),
        **rows("Code of a note"),
    }
    assert {code.strip("`") for code in described} == set(Code)


def test_every_limit_is_described() -> None:
    table, window = rows("What"), TimeWindow.at(NOW)
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
        MAX_DURATION // timedelta(days=1),
        (NOW - (window.oldest_of(DEPLOYMENTS) or NOW)) // timedelta(days=1),
        (NOW - (window.oldest_of(ERROR_OCCURRENCES) or NOW)) // timedelta(days=1),
        limits.FARTHEST_AHEAD // timedelta(days=1),
        intake.BACKLOG_EVENTS,
        intake.BACKLOG_BYTES,
        intake.READ_SECONDS,
        intake.WAIT_SECONDS,
        *sorted({wire.fact.series_at_most for wire in WIRES.values()}),
        Labels().most,
        MAX_NAME_LENGTH,
        LARGEST,
    ]


@pytest.mark.parametrize("example", re.findall(r"```json event\n(.*?)```", PAGE, re.DOTALL))
def test_examples_are_valid_events(example: str) -> None:
    raw = read_value(json.loads(example))
    read = normalise(raw, TimeWindow(None, None))
    assert isinstance(read, Event), read
    assert read.note is None


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
    (raw,) = read_request(headers, body.encode())
    project = headers.get("x-project")
    read = normalise(raw, TimeWindow(None, None), project)
    assert isinstance(read, Event), read
    assert read.project == "shop"


def test_answer_of_the_first_example_names_its_deployment() -> None:
    (text,) = re.findall(r"```json answer\n(.*?)```", PAGE, re.DOTALL)
    (result,) = json.loads(text)["results"]
    assert result["deployment"] == str(entity_uuid("shop", "run-1042"))
