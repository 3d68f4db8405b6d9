"""CDEvents as the project's own conformance examples write them, and as older versions did."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.events import Code, Event, Rejection
from ingest.formats.reading import read_value
from ingest.normaliser import TimeWindow, normalise
from storage.dimensions import ENVIRONMENT
from storage.facts.builds import BUILDS
from storage.facts.lifecycle import EventType
from tests.ingest.samples import given

EXAMPLES = Path(__file__).parents[2] / "data" / "cdevents"


def example(name: str, **context: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text())
    document["context"] |= context
    return document


def read(value: dict[str, Any]) -> Event | Rejection:
    raw = read_value(value)
    return normalise(raw, TimeWindow(None, None), "shop")


def event(value: dict[str, Any]) -> Event:
    read_event = read(value)
    assert isinstance(read_event, Event), read_event
    return read_event


def refused(value: dict[str, Any]) -> tuple[Code, str | None]:
    rejection = read(value)
    assert isinstance(rejection, Rejection), rejection
    return rejection.code, rejection.path


@pytest.mark.parametrize("name", ["service_deployed", "service_upgraded", "service_published"])
def test_a_service_that_runs_is_a_succeeded_deployment(name: str) -> None:
    deployed = event(example(name))
    assert deployed.type == EventType.SUCCEEDED
    assert (deployed.name(ENVIRONMENT), deployed.service) == ("test123", "mySubject123")
    assert deployed.occurred_at == datetime(2023, 3, 20, 14, 27, 5, 315384, UTC)
    assert deployed.entity == f"test123/mySubject123/{deployed.event_id}"
    kind = f"dev.cdevents.{name.replace('_', '.')}.0.3.0"
    assert given(deployed)["attributes"]["cdevent"] == kind


def test_a_rollback_bears_its_own_id_until_it_is_matched() -> None:
    undone = event(example("service_rolledback"))
    assert undone.type == EventType.ROLLED_BACK
    assert undone.entity_id == undone.event_id


def test_the_cloudevent_around_it_may_carry_the_context() -> None:
    document = example("service_deployed")
    outer = {
        "specversion": "1.0",
        "id": document["context"]["id"],
        "source": document["context"]["source"],
        "type": document["context"]["type"],
        "time": document["context"]["timestamp"],
    }
    whole = event(outer | {"data": document})
    assert whole.event_id == event(document).event_id
    bare = {"subject": document["subject"]}
    assert event(outer | {"data": bare}).event_id == whole.event_id
    assert event(outer | {"data": document, "project": "other"}).project == "other"


@pytest.mark.parametrize(
    "kind",
    [
        "dev.cdevents.service.deployed.0.1.0",
        "dev.cdevents.service.deployed.0.2.0-draft",
        "dev.cdevents.service.deployed",
    ],
)
def test_older_versions_are_read(kind: str) -> None:
    document = example("service_deployed", type=kind, version="0.1.0")
    document["context"].pop("specversion")
    document["subject"]["type"] = "service"
    assert event(document).type == EventType.SUCCEEDED


def test_an_event_is_the_same_by_source_and_id() -> None:
    first = event(example("service_deployed"))
    assert event(example("service_upgraded")).event_id == first.event_id
    assert event(example("service_deployed", source="/other")).event_id != first.event_id
    assert event(example("service_deployed", id="other")).event_id != first.event_id


def test_a_run_is_a_deployment_when_it_says_where_to() -> None:
    assert refused(example("pipelinerun_finished")) == (Code.NOT_RELEVANT, "context.type")
    there = {"customData": {"environment": "production", "network": "metis", "actor": "ada"}}
    finished = event(example("pipelinerun_finished") | there)
    assert finished.type == EventType.FAILED
    found = given(finished)
    assert (found["environment"], found["network"], found["actor"]) == (
        "production",
        "metis",
        "ada",
    )
    assert found["error"] == "Something went wrong\nWith some more details"
    assert finished.entity == "pipelinerun/mySubject123"
    assert event(example("pipelinerun_queued") | there).type == EventType.QUEUED
    started = event(example("pipelinerun_started") | there)
    assert (started.type, started.entity_id) == (EventType.STARTED, finished.entity_id)
    where = {"customData": {"environment": {"id": "staging"}}}
    assert event(example("taskrun_finished") | where).name(ENVIRONMENT) == "staging"


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("success", EventType.SUCCEEDED),
        ("error", EventType.FAILED),
        ("cancel", EventType.CANCELLED),
    ],
)
def test_the_outcome_of_a_run_decides(outcome: str, kind: EventType) -> None:
    document = example("pipelinerun_finished") | {"customData": {"environment": "production"}}
    document["subject"]["content"]["outcome"] = outcome
    assert event(document).type == kind
    document["subject"]["content"]["outcome"] = "unclear"
    assert refused(document) == (Code.INVALID_VALUE, "subject.content.outcome")


def test_a_build_has_the_id_of_its_subject() -> None:
    custom = {"template": "erc20", "framework": "hardhat", "environment": "preview"}
    custom |= {"branch": "main", "commit": "4f2c1e"}
    built = event(example("build_finished") | {"customData": custom | {"durationMs": 31_000}})
    assert (built.fact, built.type, built.entity) == (BUILDS, EventType.SUCCEEDED, "mySubject123")
    found = given(built)
    assert {name: found[name] for name in custom} == custom
    assert built.duration_us == 31_000_000
    assert found["attributes"]["artifactId"].startswith("pkg:oci/myapp")
    started = event(example("build_started"))
    assert (started.type, started.entity_id) == (EventType.STARTED, built.entity_id)
    assert event(example("build_queued")).type == EventType.QUEUED


@pytest.mark.parametrize("place", ["content", "customData"])
def test_a_build_may_say_how_it_ended(place: str) -> None:
    document = example("build_finished") | {"customData": {}}
    where = document["subject"]["content"] if place == "content" else document["customData"]
    where["outcome"] = "failure"
    assert event(document).type == EventType.FAILED
    where["outcome"] = "unclear"
    assert refused(document) == (Code.INVALID_VALUE, "subject.content.outcome")


@pytest.mark.parametrize(
    "name",
    ["service_removed", "environment_created", "incident_detected"],
)
def test_events_about_other_things_are_ignored(name: str) -> None:
    assert refused(example(name)) == (Code.NOT_RELEVANT, "context.type")


def test_a_tools_own_deployment_subject_uses_our_words() -> None:
    document = example("service_deployed", type="dev.cdeventsx.acme-deployment.failed.0.1.0")
    document["subject"]["content"] |= {"durationMs": 7, "error": "no gas"}
    failed = event(document)
    assert (failed.type, failed.entity) == (EventType.FAILED, "mySubject123")
    assert (failed.duration_us, given(failed)["error"]) == (7_000, "no gas")
    for subject in ("rocket.launched", "deployment.exploded"):
        other = example("service_deployed", type=f"dev.cdeventsx.acme-{subject}.0.1.0")
        assert refused(other) == (Code.NOT_RELEVANT, "context.type")


def test_a_run_that_deploys_nothing_is_ignored() -> None:
    document = example("pipelinerun_started", type="dev.cdevents.pipelinerun.paused.0.2.0")
    assert refused(document | {"customData": {"environment": "production"}}) == (
        Code.NOT_RELEVANT,
        "context.type",
    )


def without(document: dict[str, Any], *path: str) -> dict[str, Any]:
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    inner.pop(path[-1])
    return document


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (("context", "id"), (Code.MISSING_FIELD, "context.id")),
        (("context", "source"), (Code.MISSING_FIELD, "context.source")),
        (("context", "type"), (Code.UNKNOWN_TYPE, "context.type")),
        (("context", "timestamp"), (Code.MISSING_FIELD, "context.timestamp")),
        (("subject", "id"), (Code.MISSING_FIELD, "subject.id")),
        (("subject", "content"), (Code.MISSING_FIELD, "subject.content.environment.id")),
    ],
)
def test_missing_parts_are_named(path: tuple[str, ...], answer: tuple[Code, str]) -> None:
    assert refused(without(example("service_deployed"), *path)) == answer


def test_times_need_a_zone_and_projects_a_name() -> None:
    naive = example("service_deployed", timestamp="2023-03-20T14:27:05")
    assert refused(naive) == (Code.INVALID_TIME, "context.timestamp")
    elsewhere = example("incident_detected", timestamp="yesterday")
    assert refused(elsewhere) == (Code.INVALID_TIME, "context.timestamp")
    raw = read_value(example("service_deployed"))
    rejection = normalise(raw, TimeWindow(None, None))
    assert isinstance(rejection, Rejection)
    assert (rejection.code, rejection.path) == (Code.MISSING_FIELD, "customData.project")


@pytest.mark.parametrize("service", ["a\x00b", "x" * 201])
def test_a_service_must_have_a_storable_name(service: str) -> None:
    document = example("service_deployed")
    document["subject"]["id"] = service
    assert refused(document)[1] == "subject.id"
