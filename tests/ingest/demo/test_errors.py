"""The demo's errors: a few everywhere, and those of the planted incidents."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from analytics.significance import SPIKE_DAYS, Sample, days_of, spike
from ingest.demo.cast import PROJECTS
from ingest.demo.errors import NEW_ERRORS, RETURNED, SPIKE
from ingest.demo.history import DEPLOYMENTS
from ingest.demo.story import Story
from tests.ingest.demo.made import MOMENTS, NOW, Event, events_at, of_type, time_of
from tests.ingest.demo.planted import Planted, planted

EVENTS = events_at(NOW, DEPLOYMENTS)
PLANTED = planted(EVENTS, NOW)


def reported(events: list[Event]) -> list[Event]:
    return list(of_type(events, "error.occurred"))


def of(incident: Planted) -> list[Event]:
    """The errors of an incident, or the failed deployments whose texts are errors."""
    found = []
    for event in of_type(EVENTS, "error.occurred", "deployment.failed"):
        told = failure(event) if "payload" in event else ("DeploymentFailed", event["error"])
        if told[0] == incident.type and told[1].startswith(incident.message):
            found.append(event)
    return found


def failure(event: Event) -> tuple[str, str]:
    (value,) = event["payload"]["exception"]["values"]
    return value["type"], value["value"]


def test_every_project_has_a_few_errors_of_three_languages() -> None:
    errors = reported(EVENTS)
    counted = Counter(event["project"] for event in errors)
    assert counted.keys() == {project.slug for project in PROJECTS}
    assert min(counted.values()) >= 5
    assert 900 < len(errors) < 1_500
    assert {event["payload"]["platform"] for event in errors} == {"javascript", "node", "python"}


@pytest.mark.parametrize("now", [NOW, MOMENTS[-1]])
def test_errors_are_of_a_release_that_was_live(now: datetime) -> None:
    events = events_at(now, DEPLOYMENTS)
    ended = {
        event["deployment"]: (time_of(event), event["release"])
        for event in of_type(events, "deployment.succeeded")
    }
    for event in reported(events):
        since, release = ended[event["deployment"]]
        assert release == event["release"]
        assert since - timedelta(seconds=30) < time_of(event)


def test_errors_of_two_projects_have_no_place_in_common() -> None:
    places = {
        (event["project"], frame["filename"])
        for event in reported(EVENTS)
        for frame in event["payload"]["exception"]["values"][0]["stacktrace"]["frames"]
    }
    assert len({place for _, place in places}) == len(places)


def test_new_error_came_with_one_release_and_went_with_it() -> None:
    incident = PLANTED["new"]
    errors = of(incident)
    assert len(errors) == NEW_ERRORS
    assert {event["deployment"] for event in errors} == {incident.deployment}
    assert all(time_of(event) in incident.period for event in errors)


def test_spike_is_of_an_error_that_was_there_before() -> None:
    incident = PLANTED["spike"]
    during = [time_of(event) in incident.period for event in of(incident)]
    assert during.count(True) >= SPIKE
    assert 20 < during.count(False) < 60


@pytest.mark.parametrize("now", MOMENTS[::2], ids=lambda now: f"{now:%a}")
def test_spike_is_one_on_each_day_of_the_week(now: datetime) -> None:
    events = events_at(now, DEPLOYMENTS)
    incident = planted(events, now)["spike"]
    end = incident.period.end + timedelta(hours=2)
    ages = [
        (end - time_of(event)) // timedelta(hours=1)
        for event in reported(events)
        if failure(event)[0] == incident.type
    ]
    hours = [Sample(ages.count(age), 1.0) for age in reversed(range(24 * (1 + SPIKE_DAYS)))]
    last, *before = ([hour for (hour,) in day] for day in days_of(hours, 1))
    found = spike(last, before)
    assert found is not None
    assert found.events >= SPIKE


def test_error_that_came_back_was_gone_until_one_release() -> None:
    incident, story = PLANTED["returned"], Story.at(NOW)
    errors = of(incident)
    again = [event for event in errors if time_of(event) in incident.period]
    before = [event for event in errors if time_of(event) < story.resolved_at]
    assert len(again) == RETURNED
    assert len(before) + len(again) == len(errors)
    assert len(before) > 20
    assert again[0]["deployment"] == incident.deployment


@pytest.mark.parametrize("name", ["outage", "unfit"])
def test_failures_of_many_projects_have_one_network_or_template(name: str) -> None:
    incident = PLANTED[name]
    failures = of(incident)
    assert len({event["project"] for event in failures}) >= incident.projects_at_least
    assert {event["network"] for event in failures} == {incident.network}
    if incident.template:
        tried = {
            event["deployment"]
            for event in of_type(EVENTS, "deployment.queued")
            if event["template"] == incident.template
        }
        assert {event["deployment"] for event in failures} == tried
