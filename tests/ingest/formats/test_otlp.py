"""Requests of OTLP within the limit of bytes that would take much more time or memory."""

from functools import partial
from typing import Any

import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from ingest.events import MAX_ATTRIBUTES_BYTES
from ingest.formats import otlp
from ingest.formats.otlp import LEFT_OUT, MAX_ATTRIBUTES, MAX_RESOURCE_BYTES, read_logs
from ingest.formats.raw import Raw
from tests.effort import assert_within_times

HEADERS = {"content-type": otlp.PROTOBUF}


def request(names: list[str], value: str, records: list[LogRecord]) -> bytes:
    """Records of a resource with an attribute for each name."""
    sent = ExportLogsServiceRequest()
    of_resource = sent.resource_logs.add()
    of_scope = of_resource.scope_logs.add()
    for name in names:
        of_resource.resource.attributes.add(key=name).value.string_value = value
    of_scope.log_records.extend(records)
    return sent.SerializeToString()


def record(names: list[str], value: str) -> LogRecord:
    result = LogRecord()
    for name in names:
        result.attributes.add(key=name).value.string_value = value
    return result


def names(prefix: str, number: int) -> list[str]:
    return [f"{prefix}{place:06}" for place in range(number)]


def events(body: bytes) -> list[dict[str, Any]]:
    return [item.value for item in read_logs(HEADERS, body) if isinstance(item, Raw)]


def test_many_attributes_take_little_time() -> None:
    body = request([], "", [record(names("a", 100_000), "x")])
    (event,) = events(body)
    fewer = request([], "", [record(names("a", 12_500), "x")])
    assert_within_times(24, lambda: partial(events, body), partial(events, fewer))
    assert event["fields"].pop(LEFT_OUT) == 100_000 - MAX_ATTRIBUTES
    assert list(event["fields"]) == names("a", MAX_ATTRIBUTES)


def test_a_large_resource_is_read_once_for_all_its_records() -> None:
    few, many = (request(names("r", 60_000), "x" * 40, [LogRecord()] * n) for n in (1, 2_000))
    found = events(many)
    assert_within_times(20, lambda: partial(events, many), partial(events, few))
    assert len({event["id"] for event in found}) == 2_000
    assert all(len(orjson.dumps(event["fields"])) <= MAX_RESOURCE_BYTES + 64 for event in found)
    assert found[0] == events(few)[0]


def test_fields_fit_whatever_their_names_are() -> None:
    long = [f"{name}{'n' * 2_000}" for name in names("a", 50)]
    body = request(names("r", 200), "y" * 30, [record(long, "x")])
    (event,) = events(body)
    assert len(orjson.dumps(event["fields"])) <= MAX_ATTRIBUTES_BYTES
    kept = len(event["fields"]) - 1
    assert event["fields"][LEFT_OUT] == 250 - kept


def test_the_project_is_found_behind_many_attributes() -> None:
    body = request([*names("r", 200), "project"], "shop", [LogRecord()])
    assert events(body)[0]["project"] == "shop"


def test_what_the_sender_left_out_is_told() -> None:
    (event,) = events(request([], "", [LogRecord(dropped_attributes_count=3)]))
    assert event["fields"] == {LEFT_OUT: 3}


def test_equal_records_of_two_scopes_or_resources_differ() -> None:
    sent = ExportLogsServiceRequest()
    for service in ("a", "b"):
        of_resource = sent.resource_logs.add()
        of_resource.resource.attributes.add(key="service.name").value.string_value = service
        for scope in ("", "x", "y"):
            of_scope = of_resource.scope_logs.add()
            of_scope.scope.name = scope
            of_scope.log_records.add().body.string_value = "same"
    assert len({event["id"] for event in events(sent.SerializeToString())}) == 6
