"""Measures of how things stand at the end of a range: what still runs, and what expires first."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.schema.conftest import opened
from tests.schema.platform import ADMIN, NOW, Platform
from tests.servers import Databases

LEFT = """query($filter: MetricFilter, $range: TimeRange, $by: [Dimension!]) {
  metrics(measures: [CERTIFICATE_DAYS_TO_EXPIRY], filter: $filter, range: $range, groupBy: $by) {
    groups { keys { name } } columns { totals total } } }"""
RUNNING = """query($filter: MetricFilter, $range: TimeRange) {
  metrics(measures: [DEPLOYMENT_LONGEST_RUNNING_MS, DEPLOYMENT_ATTEMPTS], filter: $filter,
      range: $range, interval: HOUR) {
    columns { values total } } }"""
HOUR = {"last": "PT1H"}


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    async with opened(url) as platform:
        yield platform


async def record(platform: Platform, *events: dict[str, Any]) -> None:
    for result in await platform.services.intake.record(list(events), ADMIN):
        assert result.status in ("accepted", "duplicate"), result


def certificate(
    project: str, name: str, type_: str, days_ago: float, left: float | None = None, **more: str
) -> dict[str, Any]:
    expiry = {} if left is None else {"notAfter": (NOW + timedelta(days=left)).isoformat()}
    return {
        "id": f"{name}-{type_}",
        "type": f"certificate.{type_}",
        "time": (NOW - timedelta(days=days_ago)).isoformat(),
        "project": project,
        "certificate": name,
        "domain": "a.example.com",
        **expiry,
        **more,
    }


async def days_left(platform: Platform, project: str, **asked: Any) -> float | None:
    asked = {"range": HOUR, "filter": {"projects": [project]}, **asked}
    found = await platform.ask(LEFT, ADMIN, **asked)
    left: float | None = found["metrics"]["columns"][0]["total"]
    return left


async def test_a_renewal_takes_the_place_of_what_expires(platform: Platform) -> None:
    await record(platform, certificate("renewing", "old", "issued", 75, 5))
    assert await days_left(platform, "renewing") == 5
    await record(platform, certificate("renewing", "new", "renewed", 0.001, 89))
    assert await days_left(platform, "renewing") == 89
    yesterday = {"end": (NOW - timedelta(days=1)).isoformat()}
    yesterday["start"] = (NOW - timedelta(days=2)).isoformat()
    assert await days_left(platform, "renewing", range={"between": yesterday}) == 6


async def test_what_has_expired_counts_until_it_is_replaced_or_removed(platform: Platform) -> None:
    await record(platform, certificate("lapsed", "only", "issued", 73, -3))
    assert await days_left(platform, "lapsed") == -3
    await record(platform, certificate("lapsed", "only", "removed", 0.01))
    assert await days_left(platform, "lapsed") is None


async def test_domains_are_apart(platform: Platform) -> None:
    await record(
        platform,
        certificate("domains", "a", "issued", 80, 10),
        certificate("domains", "b", "issued", 1, 300, domain="b.example.com"),
        certificate("domains", "c", "failed", 1, domain="c.example.com"),
        certificate("domains", "d", "issued", 1, domain="d.example.com"),
    )
    asked = {"filter": {"projects": ["domains"]}, "range": HOUR, "by": ["DOMAIN"]}
    table = (await platform.ask(LEFT, ADMIN, **asked))["metrics"]
    names = [group["keys"][0]["name"] for group in table["groups"]]
    assert names == ["b.example.com", "a.example.com"]
    assert table["columns"] == [{"totals": [300, 10], "total": 10}]
    of_b = {"projects": ["domains"], "domains": ["b.example.com"]}
    assert await days_left(platform, "domains", filter=of_b) == 300


async def test_the_order_and_repetition_of_events_do_not_matter(platform: Platform) -> None:
    """The newest was removed: neither it nor those it replaced are in force."""
    for number, order in enumerate(permutations(range(5))):
        project = f"order-{number}"
        events = (
            certificate(project, "first", "issued", 70, 2),
            certificate(project, "second", "requested", 10, domain="b.example.com"),
            certificate(project, "second", "renewed", 9, 80, domain="b.example.com"),
            certificate(project, "third", "renewed", 8, 70),
            certificate(project, "third", "removed", 7),
        )
        for position in order[::2]:
            await record(platform, events[position], events[position])
        await record(platform, *(events[position] for position in order))
        assert await days_left(platform, project) == 80


async def running(platform: Platform, project: str, **asked: Any) -> list[dict[str, Any]]:
    asked = {"range": {"last": "PT2H"}, "filter": {"projects": [project]}, **asked}
    columns: list[dict[str, Any]] = (await platform.ask(RUNNING, ADMIN, **asked))["metrics"][
        "columns"
    ]
    return columns


def deployment(project: str, name: str, type_: str, seconds_ago: int) -> dict[str, Any]:
    return {
        "id": f"{name}-{type_}",
        "type": f"deployment.{type_}",
        "time": (NOW - timedelta(seconds=seconds_ago)).isoformat(),
        "project": project,
        "deployment": name,
        "network": "metis",
    }


async def test_what_still_runs_is_as_old_as_its_start(platform: Platform) -> None:
    """R72: a deployment that has not finished after 10:01 minutes shows."""
    await record(
        platform,
        deployment("slow", "waits", "queued", 7000),
        deployment("slow", "long", "queued", 700),
        deployment("slow", "long", "started", 601),
        deployment("slow", "short", "started", 30),
        deployment("slow", "ended", "started", 3000),
        deployment("slow", "ended", "failed", 2000),
    )
    longest, attempts = await running(platform, "slow")
    assert longest["total"] == 601_000
    assert set(longest["values"][0]) == {None}
    assert attempts["total"] == 4
    await record(platform, deployment("slow", "long", "succeeded", 0))
    longest, _ = await running(platform, "slow")
    assert longest["total"] == 601_000  # it ended at the end of the range, so it is not in it
    await record(platform, deployment("slow", "short", "cancelled", 10))
    after = {"start": (NOW - timedelta(hours=2)).isoformat(), "end": NOW.isoformat()}
    after["end"] = (NOW + timedelta(seconds=1)).isoformat()
    longest, _ = await running(platform, "slow", range={"between": after})
    assert longest["total"] == 0


async def test_what_began_before_the_range_does_not_show(platform: Platform) -> None:
    await record(platform, deployment("stale", "lost", "started", 9000))
    longest, attempts = await running(platform, "stale")
    assert (longest["total"], attempts["total"]) == (0, 0)
    longest, _ = await running(platform, "stale", range={"last": "PT3H"})
    assert longest["total"] == 9_000_000


async def test_a_range_that_lies_ahead_ends_now(platform: Platform) -> None:
    """The database's clock decides, which is ahead of the platform's by a day or more."""
    await record(platform, deployment("ahead", "open", "started", 60))
    ahead = {"start": (NOW - timedelta(hours=1)).isoformat()}
    ahead["end"] = (NOW + timedelta(days=30)).isoformat()
    longest, _ = await running(platform, "ahead", range={"between": ahead})
    assert timedelta(hours=12).total_seconds() < longest["total"] / 1000
    assert longest["total"] / 1000 < timedelta(days=3).total_seconds()
