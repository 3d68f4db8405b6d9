"""The demo's builds: one before each deployment, and a phase that has become slow."""

from collections import Counter
from datetime import datetime

import pytest

from ingest.demo.story import Story
from tests.ingest.demo.made import (
    FEW,
    MOMENTS,
    NOW,
    SOME,
    Event,
    durations_ms,
    events_at,
    of_type,
    p95,
    share,
    time_of,
)

PHASES = ["clone", "install", "build", "optimize", "upload"]


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return events_at(NOW, SOME)


def test_each_deployment_follows_a_build_that_succeeded(events: list[Event]) -> None:
    built = {event["deployment"]: event for event in of_type(events, "build.succeeded")}
    deployed = {event["deployment"]: event for event in of_type(events, "deployment.queued")}
    assert built.keys() == deployed.keys()
    for name, build in built.items():
        deployment = deployed[name]
        assert build["commit"] == deployment["commit"]
        assert all(build[key] == deployment[key] for key in ("project", "environment", "template"))
        assert time_of(build) < time_of(deployment)


def test_builds_that_do_not_succeed_are_not_deployed(events: list[Event]) -> None:
    others = list(of_type(events, "build.failed", "build.cancelled"))
    assert not any("deployment" in event for event in others)
    assert all(event["error"] for event in of_type(others, "build.failed"))
    builds = Counter(event["type"] for event in of_type(events, "build"))
    assert 0.03 < builds["build.failed"] / builds["build.started"] < 0.08
    assert 0.01 < builds["build.cancelled"] / builds["build.started"] < 0.04


def test_phases_make_up_their_build(events: list[Event]) -> None:
    story = Story.at(NOW)
    since = [event for event in events if time_of(event) >= story.phases.start]
    phases: dict[str, list[Event]] = {}
    for event in of_type(since, "build.phase"):
        phases.setdefault(event["build"], []).append(event)
    began = {event["build"]: time_of(event) for event in of_type(since, "build.started")}
    finished = list(of_type(since, "build.succeeded", "build.failed", "build.cancelled"))
    whole = [event for event in finished if began.get(event["build"], NOW) > story.phases.start]
    assert len(whole) > 1_000
    for event in whole:
        parts = phases[event["build"]]
        took_ms = (time_of(event) - began[event["build"]]).total_seconds() * 1000
        assert sum(durations_ms(parts)) == pytest.approx(took_ms, abs=0.1)
        assert [part["phase"] for part in parts] == PHASES[: len(parts)]
        ends = [part["status"] for part in parts]
        assert ends == ["succeeded"] * (len(parts) - 1) + [event["type"].removeprefix("build.")]


@pytest.mark.parametrize("now", MOMENTS)
def test_one_template_has_a_slow_install_phase(now: datetime) -> None:
    story = Story.at(now)

    def pace(template: str, phase: str) -> float:
        """By how much the 95th percentile has become slower, without the slow week."""
        found = [
            event
            for event in of_type(events_at(now, FEW), "build.phase")
            if event["phase"] == phase and event["template"] == template
            if time_of(event) not in story.slow_week
        ]
        before = [event for event in found if time_of(event) < story.slow_phase_since]
        since = [event for event in found if time_of(event) >= story.slow_phase_since]
        return p95(durations_ms(since)) / p95(durations_ms(before))

    assert pace("dashy", "install") > 2.5
    assert 0.5 < pace("dashy", "build") < 1.8
    assert 0.5 < pace("evershop", "install") < 1.8


@pytest.mark.parametrize("now", MOMENTS)
def test_builds_of_the_slow_week_are_slow(now: datetime) -> None:
    story = Story.at(now)
    phases = list(of_type(events_at(now, FEW), "build.phase"))

    def typical(framework: str, slow: bool) -> float:
        return p95(
            durations_ms(
                event
                for event in phases
                if event["framework"] == framework and event["phase"] == "build"
                if (time_of(event) in story.slow_week) is slow
            )
        )

    assert typical("nextjs", True) / typical("nextjs", False) > 1.8
    assert 0.6 < typical("vue", True) / typical("vue", False) < 1.6


@pytest.mark.parametrize("now", MOMENTS)
def test_some_builds_are_under_way(now: datetime) -> None:
    builds = list(of_type(events_at(now, FEW), "build"))
    last = {event["build"]: event["type"] for event in builds if event["type"] != "build.phase"}
    states = Counter(last.values())
    assert states["build.started"] >= 3
    assert states["build.queued"] >= 2


def test_results_are_plausible(events: list[Event]) -> None:
    succeeded = list(of_type(events, "build.succeeded"))
    assert all(10 <= event["assetCount"] <= 1_000 for event in succeeded)
    assert all(1e5 < event["totalBytes"] < 1e8 for event in succeeded)
    assert all(event["cpuMs"] > 0 and 1e8 < event["memoryBytes"] < 8e9 for event in succeeded)
    assert 0.4 < share(succeeded, environment="preview") < 0.65
