"""The events of invocations and API calls: lambda-perf, Azure, HAR and Apache."""

import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from ingest.importers.api_calls import APACHE, AZURE_LLM, HAR, file_route, route_template
from ingest.importers.lambda_perf import LAMBDA_PERF
from tests.ingest.importers.counting import (
    DATA,
    apache_lines,
    cold_starts,
    csv_rows,
    document_of,
    har_entries,
)
from tests.ingest.importers.reading import events_of, have_ids_of_their_own, problems_of


def test_each_measured_initialisation_is_an_invocation() -> None:
    events = events_of(LAMBDA_PERF, DATA)
    assert cold_starts() == Counter(
        (f"{event.at:%Y-%m-%d}", event.fields["function"]) for event in events
    )
    assert cold_starts().total() == len(events) == 658
    assert have_ids_of_their_own(events)


def test_mean_of_a_functions_initialisations_is_the_one_upstream_gives() -> None:
    sums: Counter[str] = Counter()
    day = events_of(LAMBDA_PERF, DATA / "functions/lambda-perf/2025-06-30.json")
    for event in day:
        sums[event.fields["function"]] += event.fields["initMs"]
    for function in document_of("functions/lambda-perf/2025-06-30.json")["runtimeData"]:
        assert sums[function["r"]] / len(function["i"]) == pytest.approx(function["acd"], abs=0.001)


def test_invocation_has_its_functions_means(tmp_path: Path) -> None:
    row = {"r": "f", "d": "go", "p": "zip", "m": 128, "a": "arm64", "mu": 2, "ad": 1.5, "acd": 9.25}
    document = {
        "metadata": {"generatedAt": "2025-06-01T14:00:07.382Z"},
        "runtimeData": [row | {"i": [9, 9.5]}, row | {"i": 9}, row | {"i": ["x"]}],
    }
    path = tmp_path / "2025-06-01.json"
    path.write_bytes(orjson.dumps(document))
    first, second = events_of(LAMBDA_PERF, path)
    assert first.at == second.at == datetime(2025, 6, 1, 14, 0, 7, 382_000, UTC)
    assert first.fields == {
        "id": "2025-06-01:f:0",
        "type": "function.completed",
        "source": "lambda-perf",
        "project": "lambda-perf",
        "function": "f",
        "runtime": "go",
        "status": "success",
        "coldStart": True,
        "initMs": 9,
        "durationMs": 1.5,
        "memoryBytes": 2_097_152,
    }
    assert (second.fields["id"], second.fields["initMs"]) == ("2025-06-01:f:1", 9.5)
    assert problems_of(LAMBDA_PERF, path) == {
        f"{path.name}:2": "i is not a list",
        f"{path.name}:3": "i is not a number",
    }


def test_documents_that_are_no_reports_are_reported(tmp_path: Path) -> None:
    for name, text in (("a", "[]"), ("b", "{"), ("c", '{"metadata": {}}')):
        (tmp_path / f"{name}.json").write_text(text)
    (tmp_path / "d.json.gz").write_bytes(gzip.compress(b'{"a": "' + b"x" * 10_000)[:-10])
    problems = {
        name: message
        for path in sorted(tmp_path.iterdir())
        for name, message in problems_of(LAMBDA_PERF, path).items()
    }
    assert problems["a.json"] == "the file is not an object"
    assert problems["b.json"].startswith("the file is not JSON")
    assert problems["c.json"] == "is not laid out as expected: KeyError('generatedAt')"
    assert "cut off" in problems["d.json:0"]


def test_each_row_of_the_trace_is_a_call_of_an_api_and_of_a_model() -> None:
    events = events_of(AZURE_LLM, DATA)
    rows = list(csv_rows("api-calls/AzureLLMInferenceTrace_conv"))
    assert [f"{event.at:%Y-%m-%d %H:%M:%S.%f}" for event in events[::2]] == [
        row["TIMESTAMP"][:26] for row in rows
    ]
    assert [event.at for event in events[::2]] == [event.at for event in events[1::2]]
    asked = Counter(
        (event.fields["method"], event.fields["endpoint"], event.fields["status"])
        for event in events[::2]
    )
    assert asked == {("POST", "/conversation", 200): 250}
    assert [
        (event.fields["inputTokens"], event.fields["outputTokens"]) for event in events[1::2]
    ] == [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in rows]
    assert have_ids_of_their_own(events)


def test_compressed_trace_has_the_same_ids(tmp_path: Path) -> None:
    packed = tmp_path / "AzureLLMInferenceTrace_conv.csv.gz"
    packed.write_bytes(
        gzip.compress((DATA / "api-calls/AzureLLMInferenceTrace_conv.csv").read_bytes())
    )
    assert events_of(AZURE_LLM, tmp_path) == events_of(AZURE_LLM, DATA)


def test_recorded_requests_have_their_route_status_and_time() -> None:
    events = events_of(HAR, DATA)
    entries = har_entries()
    assert len(events) == len(entries) == 27
    assert have_ids_of_their_own(events)
    assert [event.fields["durationMs"] for event in events] == [entry["time"] for entry in entries]
    assert [event.fields["responseBytes"] for event in events] == [
        entry["response"]["content"]["size"] for entry in entries
    ]
    assert Counter(event.fields["endpoint"] for event in events) == Counter(
        entry["request"]["url"].removeprefix("http://localhost:5000").split("?")[0]
        for entry in entries
    )


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/users/17/orders/", "/users/{id}/orders/"),
        ("/jobs/3f1f2b7e-52a5-5d0c-9f1e-0c7f6f3f5a10", "/jobs/{id}"),
        ("/commits/219d38523a321229f7f48aca6592f76b993fb1aa/logs", "/commits/{id}/logs"),
        ("/project/mozilla-central/v2/deadbeef", "/project/mozilla-central/v2/deadbeef"),
    ],
)
def test_ids_in_paths_are_no_routes_of_their_own(path: str, route: str) -> None:
    assert route_template(path) == route


def test_requests_without_an_answer_are_reported(tmp_path: Path) -> None:
    entry = {"startedDateTime": "2021-11-26T10:30:15.382Z", "time": 3}
    request = {"url": "http://h/a?b", "method": "GET"}
    entries = [
        entry | {"request": request},
        entry | {"request": request, "response": {"status": 200, "bodySize": -1}},
        entry | {"request": request, "response": {"status": 200, "bodySize": -2}},
    ]
    path = tmp_path / "x.har"
    path.write_bytes(orjson.dumps({"log": {"entries": entries}}))
    (event,) = events_of(HAR, path)
    assert event.fields["endpoint"] == "/a"
    assert "responseBytes" not in event.fields
    assert list(problems_of(HAR, path)) == ["x.har:1", "x.har:3"]


def test_each_line_of_the_log_is_a_call() -> None:
    events = events_of(APACHE, DATA)
    calls = [
        (event.fields["method"], event.fields["status"], event.fields.get("responseBytes", 0))
        for event in events
    ]
    assert calls == apache_lines()
    assert len(calls) == 262
    assert have_ids_of_their_own(events)
    assert problems_of(APACHE, DATA) == {}


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/robots.txt", "/{path}.txt"),
        ("/blog", "/{path}"),
        ("/projects/xdotool/", "/projects/xdotool/"),
        ("/blog/tags/puppet", "/blog/tags/{path}"),
        ("/presentations/vim/images/a/B.PNG", "/presentations/vim/{path}.png"),
        ("/files/xdotool/docs/html/", "/files/xdotool/{path}"),
        ("/presentations/vim/++Result:+chosen+nickname", "/presentations/vim/{path}"),
    ],
)
def test_files_of_a_folder_share_a_route(path: str, route: str) -> None:
    assert file_route(path) == route


def test_lines_of_no_request_are_reported(tmp_path: Path) -> None:
    lines = [
        '1.2.3.4 - - [17/May/2015:10:05:03 +0200] "GET /a?b="c HTTP/1.1" 200 - "-" "agent',
        '1.2.3.4 - - [17/Mai/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "-"',
        "started",
    ]
    path = tmp_path / "apache_logs"
    path.write_text("\n".join(lines))
    problems = problems_of(APACHE, path)
    assert list(problems) == ["apache_logs:2", "apache_logs:3"]
    (event,) = events_of(APACHE, path)
    assert event.at == datetime(2015, 5, 17, 8, 5, 3, tzinfo=UTC)
    assert event.fields["endpoint"] == "/{path}"
    assert "1.2.3.4" not in str(event)
