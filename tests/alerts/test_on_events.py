"""Rules on events fire once for each occurrence, in whatever order and however often it is read."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from alerts.rules import LITERAL, EventKind, OnEvent, Operator, Threshold, Watch
from tests.alerts.engine import Engine

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def error(project: str, engine: Engine, ago: timedelta = MINUTE, **fields: Any) -> dict[str, Any]:
    return {
        "type": "error.occurred",
        "time": (engine.now - ago).isoformat(),
        "project": project,
        "id": str(uuid4()),
        "errorType": "TypeError",
        "message": "x is not a function",
        "fingerprint": ["one"],
        **fields,
    }


async def test_a_failed_deployment_fires_once_and_stops_after_a_time(engine: Engine) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.follow()
    await engine.deployments("shop", failed=1, succeeded=1)
    await engine.follow()
    (event,) = await engine.rows("alert_events", rule)
    assert event["transition"] == "firing"
    assert event["evidence"]["subject"]["kind"] == "Deployment"
    assert event["instance"].endswith(event["evidence"]["subject"]["key"])
    assert event["labels"]["project"] == "shop"
    assert len(await engine.rows("alert_outbox")) == 1
    await engine.follow(50 * MINUTE)
    assert len(await engine.rows("alert_events", rule)) == 1
    await engine.follow(10 * MINUTE)
    assert [name for _, name in await engine.history(rule)] == ["firing", "resolved"]
    await engine.follow()
    assert len(await engine.rows("alert_events", rule)) == 2


async def test_what_happened_before_anybody_watched_is_history(engine: Engine) -> None:
    await engine.deployments("shop", failed=1)
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.follow()
    await engine.deployments("shop", failed=1, ago=61 * MINUTE)
    await engine.follow()
    assert await engine.rows("alert_events", rule) == []
    await engine.deployments("shop", failed=1, ago=59 * MINUTE)
    await engine.follow()
    assert len(await engine.rows("alert_events", rule)) == 1


@pytest.mark.parametrize("watched", [None, EventKind.ERROR_NEW])
async def test_a_rule_misses_nothing_that_comes_after_it(
    engine: Engine, watched: EventKind | None
) -> None:
    """Also if it is the first of its kind, and the next look at the feed comes later."""
    if watched is not None:
        await engine.rule("shop", OnEvent(watched))
    await engine.deployments("shop", failed=1)
    await engine.follow()
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.deployments("shop", failed=1)
    await engine.follow()
    assert len(await engine.rows("alert_events", rule)) == 1


async def test_reading_the_feed_again_fires_nothing(engine: Engine) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED, keep_firing_seconds=0))
    await engine.follow()
    await engine.deployments("shop", failed=3)
    await engine.follow()
    await engine.follow()
    assert len(await engine.rows("alert_events", rule)) == 6
    async with engine.database.transaction() as connection:
        position: dict[str, Any] = {"deployment": {}}
        await connection.execute("update alert_ticks set position = $1", position)
        await connection.execute("delete from alert_instances")
    again = Engine(engine.database, engine.intake, engine.now, engine.holder)
    assert await again.follow() == 0
    assert len(await engine.rows("alert_events", rule)) == 6
    assert len(await engine.rows("alert_outbox")) == 6


async def test_a_filter_selects_by_name(engine: Engine) -> None:
    on = OnEvent(EventKind.DEPLOYMENT_FAILED, {"environment": ("production",)})
    rule, other = await engine.rule("shop", on), await engine.rule("other", on)
    platform = await engine.rule(None, OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.follow()
    await engine.deployments("shop", failed=1, environment="staging")
    await engine.deployments("shop", failed=1, environment="production")
    await engine.follow()
    (event,) = await engine.rows("alert_events", rule)
    assert event["labels"]["environment"] == "production"
    assert await engine.rows("alert_events", other) == []
    assert len(await engine.rows("alert_events", platform)) == 2


async def test_a_late_success_ends_nothing_early_and_a_build_fires_too(engine: Engine) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.BUILD_FAILED))
    await engine.follow()
    event = {"type": "build.failed", "project": "shop", "build": "b1", "template": "x"}
    await engine.record([{**event, "time": (engine.now - MINUTE).isoformat()}])
    await engine.follow()
    started = {**event, "type": "build.started", "time": (engine.now - 2 * MINUTE).isoformat()}
    await engine.record([started])
    await engine.follow()
    assert [name for _, name in await engine.history(rule)] == ["firing"]


async def test_a_slow_deployment_fires_while_it_runs(engine: Engine) -> None:
    on = OnEvent(EventKind.DEPLOYMENT_SLOW, after_seconds=600, keep_firing_seconds=60)
    rule = await engine.rule("shop", on)
    await engine.follow()
    start = engine.now
    started = {"type": "deployment.started", "project": "shop", "deployment": "d1"}
    await engine.record([{**started, "time": start.isoformat()}])
    await engine.follow(timedelta(seconds=599))
    assert await engine.history(rule) == []
    await engine.follow(timedelta(seconds=4))
    assert [name for _, name in await engine.history(rule)] == ["firing"]
    for _ in range(3):
        await engine.follow(10 * MINUTE)
    assert [name for _, name in await engine.history(rule)] == ["firing"]
    done = {**started, "type": "deployment.succeeded", "time": (start + 20 * MINUTE).isoformat()}
    await engine.record([done])
    await engine.follow()
    await engine.follow()
    assert [name for _, name in await engine.history(rule)] == ["firing", "resolved"]


@pytest.mark.parametrize("took_ms", [600_000, 600_001])
async def test_a_slow_deployment_fires_though_its_start_is_unknown(
    engine: Engine, took_ms: int
) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_SLOW, after_seconds=600))
    await engine.follow()
    await engine.deployments("shop", succeeded=1, durationMs=took_ms)
    await engine.follow()
    assert len(await engine.rows("alert_events", rule)) == (took_ms > 600_000)


async def test_new_errors_critical_ones_and_those_that_occur_often(engine: Engine) -> None:
    rules = {
        kind: await engine.rule("shop", OnEvent(kind, count=count))
        for kind, count in (
            (EventKind.ERROR_NEW, None),
            (EventKind.ERROR_CRITICAL, None),
            (EventKind.ERROR_REACHED, 3),
        )
    }
    await engine.follow()
    await engine.record([error("shop", engine)])
    await engine.follow()
    counts = {kind: len(await engine.rows("alert_events", id)) for kind, id in rules.items()}
    assert list(counts.values()) == [1, 0, 0]
    await engine.record([error("shop", engine, severity="critical") for _ in range(2)])
    await engine.follow()
    counts = {kind: len(await engine.rows("alert_events", id)) for kind, id in rules.items()}
    assert list(counts.values()) == [1, 1, 1]
    (event,) = await engine.rows("alert_events", rules[EventKind.ERROR_NEW])
    assert event["labels"]["error_type"] == "TypeError"
    await engine.record([error("shop", engine, fingerprint=["two"])])
    await engine.follow()
    assert len(await engine.rows("alert_events", rules[EventKind.ERROR_NEW])) == 2


async def test_a_regression_fires(engine: Engine) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.ERROR_REGRESSED))
    await engine.record([error("shop", engine, 3 * MINUTE)])
    await engine.follow()
    async with engine.database.transaction() as connection:
        await connection.execute(
            "update errors set status = 1, decision = 1, decided_at = $1, decided_by = 'me'",
            engine.now - 2 * MINUTE,
        )
    await engine.record([error("shop", engine, MINUTE)])
    await engine.follow()
    assert [name for _, name in await engine.history(rule)] == ["firing"]


async def test_one_signature_in_several_projects(engine: Engine) -> None:
    rule = await engine.rule(None, OnEvent(EventKind.ERROR_SPREAD, count=3))
    await engine.follow()
    for number, project in enumerate(("one", "two", "three", "four")):
        await engine.record([error(project, engine)])
        await engine.follow()
        assert len(await engine.rows("alert_events", rule)) == (number >= 2)
    (event,) = await engine.rows("alert_events", rule)
    assert event["labels"]["projects"] == "one,three,two"


async def test_a_function_that_fails(engine: Engine) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.FUNCTION_FAILED, {"function": ("pay",)}))
    await engine.follow()

    async def invoke(function: str, kind: str, ago: timedelta) -> None:
        event = {"type": "function.completed", "project": "shop", "function": function}
        time = (engine.now - ago).isoformat()
        await engine.record([{**event, "id": str(uuid4()), "time": time, "status": kind}])
        await engine.follow()

    await invoke("pay", "succeeded", MINUTE)
    await invoke("list", "failed", MINUTE)
    assert await engine.rows("alert_events", rule) == []
    await invoke("pay", "failed", 5 * MINUTE)
    await invoke("pay", "failed", 3 * MINUTE)
    (event,) = await engine.rows("alert_events", rule)
    assert event["evidence"]["subject"]["key"] == "pay"
    await engine.follow(HOUR)
    assert [name for _, name in await engine.history(rule)] == ["firing", "resolved"]


async def test_the_instances_of_a_disabled_rule_end(engine: Engine) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.follow()
    await engine.deployments("shop", failed=1)
    await engine.follow()
    await engine.disable(rule)
    await engine.follow()
    assert [name for _, name in await engine.history(rule)] == ["firing", "gone"]
    await engine.deployments("shop", failed=1)
    await engine.follow()
    assert len(await engine.rows("alert_events", rule)) == 2


ABOVE = Watch("deployments.failed", 3_600, Threshold(Operator.ABOVE, 0), LITERAL)


@pytest.mark.parametrize("group_by", [(), ("environment",)])
async def test_what_fires_ends_when_its_rule_watches_events_from_now_on(
    engine: Engine, group_by: tuple[str, ...]
) -> None:
    rule = await engine.rule("shop", replace(ABOVE, group_by=group_by))
    waits = await engine.rule("shop", replace(ABOVE, group_by=group_by, for_seconds=60))
    await engine.deployments("shop", failed=1, environment="production")
    await engine.tick()
    for each in (rule, waits):
        await engine.change(each, OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.tick()
    await engine.follow()
    assert [name for _, name in await engine.history(rule)] == ["firing", "gone"]
    assert [name for _, name in await engine.history(waits)] == ["pending", "calmed"]
    await engine.tick()
    await engine.follow()
    assert {row["phase"] for row in await engine.rows("alert_instances")} == {0}


async def test_a_slow_deployment_ends_when_its_rule_watches_other_events(engine: Engine) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_SLOW, after_seconds=60))
    await engine.follow()
    started = {"type": "deployment.started", "project": "shop", "deployment": "d1"}
    await engine.record([{**started, "time": (engine.now - 2 * MINUTE).isoformat()}])
    await engine.follow(timedelta(seconds=4))
    assert [name for _, name in await engine.history(rule)] == ["firing"]
    await engine.change(rule, OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.follow()
    assert [name for _, name in await engine.history(rule)] == ["firing", "gone"]


async def test_what_an_event_began_ends_when_its_rule_watches_a_measure(engine: Engine) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.follow()
    await engine.deployments("shop", failed=1)
    await engine.follow()
    await engine.change(rule, replace(ABOVE, comparison=Threshold(Operator.ABOVE, 9)))
    await engine.follow()
    await engine.tick()
    assert [name for _, name in await engine.history(rule)] == ["firing", "gone"]


async def test_of_an_outage_a_hundred_fire_and_the_rest_is_counted_once(engine: Engine) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    other = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.follow()
    await engine.deployments("shop", failed=60)
    await engine.follow()
    await engine.deployments("shop", failed=90)
    await engine.follow()
    for each in (rule, other):
        events = await engine.rows("alert_events", each)
        assert [event["transition"] for event in events] == ["firing"] * 100
        shown = [row["evidence"]["left_out"] for row in await engine.rows("alert_instances", each)]
        assert shown == [50] * 100
    await engine.deployments("shop", failed=7)
    await engine.follow()
    assert len(await engine.rows("alert_events", rule)) == 100
    shown = [row["evidence"]["left_out"] for row in await engine.rows("alert_instances", rule)]
    assert shown == [57] * 100
    await engine.follow(HOUR)
    await engine.deployments("shop", failed=1)
    await engine.follow()
    assert len(await engine.rows("alert_events", rule)) == 201


async def test_what_is_slow_and_left_out_is_counted_once_however_often_it_is_seen(
    engine: Engine,
) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_SLOW, after_seconds=60))
    await engine.follow()
    time = (engine.now - 2 * MINUTE).isoformat()
    started = {"type": "deployment.started", "project": "shop", "time": time}
    await engine.record([{**started, "deployment": str(number)} for number in range(103)])
    for _ in range(3):
        await engine.follow(timedelta(seconds=4))
    rows = await engine.rows("alert_instances", rule)
    assert [row["evidence"]["left_out"] for row in rows] == [3] * 100


async def test_slow_deployments_are_looked_for_though_the_clock_went_back(engine: Engine) -> None:
    rule = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_SLOW, after_seconds=60))
    await engine.follow()
    await engine.follow(-HOUR)
    started = {"type": "deployment.started", "project": "shop", "deployment": "d1"}
    await engine.record([{**started, "time": (engine.now - 2 * MINUTE).isoformat()}])
    await engine.follow(timedelta(seconds=4))
    assert [name for _, name in await engine.history(rule)] == ["firing"]


async def test_a_rule_that_cannot_be_evaluated_says_so_and_keeps_no_other_from_firing(
    engine: Engine,
) -> None:
    on = OnEvent(EventKind.DEPLOYMENT_FAILED, {"gone": ("x",)})
    broken = await engine.rule("shop", on)
    other = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.follow()
    await engine.deployments("shop", failed=1)
    await engine.follow()
    assert [name for _, name in await engine.history(other)] == ["firing"]
    assert await engine.history(broken) == []
    (row,) = await engine.rows("alert_instances", broken)
    assert (row["instance"], row["health"]) == ("", 2)
    engine = Engine(engine.database, engine.intake, engine.now, engine.holder)
    for _ in range(7):
        await engine.follow(MINUTE)
    assert await engine.history(broken) == [("", "failing")]
    (event,) = await engine.rows("alert_events", broken)
    assert "There is no dimension 'gone'." in event["evidence"]["reason"]
    await engine.change(broken, OnEvent(EventKind.DEPLOYMENT_FAILED))
    for _ in range(2):
        await engine.follow()
    assert await engine.history(broken) == [("", "failing"), ("", "recovered")]
    queued = {row["event_id"] for row in await engine.rows("alert_outbox")}
    assert queued == {row["event_id"] for row in await engine.rows("alert_events")}
