"""The demo's samples: plausible figures of hosts and users, and a host whose memory leaks."""

from datetime import datetime, timedelta
from itertools import product

import pytest

from ingest.demo.cast import ACTIONS, FEATURES, HOSTS, PLANS, RESOURCES
from ingest.demo.samples import FULL, QUIET
from ingest.demo.story import LEAKING_HOST, Story
from tests.ingest.demo.made import MOMENTS, NOW, SOME, Event, events_at, of_type, time_of


def samples_at(now: datetime, metric: str, **labels: str) -> list[Event]:
    return [
        each
        for each in of_type(events_at(now, SOME), "metric.sample")
        if each["metric"] == metric and labels.items() <= each["labels"].items()
    ]


def test_samples_are_plausible() -> None:
    for metric in ("system_cpu_busy_percent", "system_memory_usage_percent"):
        for host in HOSTS:
            found = samples_at(NOW, metric, host=host)
            assert len(found) > 50
            assert all(0 < each["value"] < 100 for each in found)
    assert all(len(each["labels"]) <= 4 for each in of_type(events_at(NOW, SOME), "metric.sample"))


def labels_of(metric: str) -> set[tuple[tuple[str, str], ...]]:
    return {tuple(sorted(each["labels"].items())) for each in samples_at(NOW, metric)}


def test_usage_features_costs_and_plans_have_the_labels_that_are_asked_for() -> None:
    """R139."""
    activity, features = labels_of("user_activity"), labels_of("feature_usage")
    assert {dict(each)["action"] for each in activity} == set(ACTIONS)
    assert {dict(each)["feature"] for each in features} == set(FEATURES)
    assert {tuple(dict(each)) for each in activity} == {("action", "plan_type")}
    assert {tuple(dict(each)) for each in features} == {("feature", "user_type")}
    assert {dict(each)["plan_type"] for each in activity} <= set(PLANS)
    assert {dict(each)["user_type"] for each in features} <= set(PLANS)
    assert labels_of("plan_users") == {(("plan_type", plan),) for plan in PLANS}
    assert labels_of("resource_cost_usd") == {
        (("plan", plan), ("resource_type", resource))
        for plan, resource in product(PLANS, RESOURCES)
    }


@pytest.mark.parametrize("now", MOMENTS)
def test_memory_of_one_host_leaks_since_a_day(now: datetime) -> None:
    since = Story.at(now).leaking_since
    assert timedelta(hours=20) < now - since < timedelta(hours=50)
    for host in HOSTS:
        memory = samples_at(now, "system_memory_usage_percent", host=host)
        before = [each["value"] for each in memory if time_of(each) < since]
        assert QUIET - 4 < min(before) <= max(before) < QUIET + 4
        last = max(memory, key=time_of)["value"]
        assert (last > FULL - 5) is (host == LEAKING_HOST)
