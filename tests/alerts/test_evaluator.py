"""The evaluator reads what happened from a real database, and writes what follows from it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts import evaluator
from alerts.readings import Watched
from alerts.rules import (
    LITERAL,
    Absence,
    Change,
    EventKind,
    OnEvent,
    Operator,
    Threshold,
    Watch,
)
from analytics.run import Analytics
from analytics.state import OneState
from ingest.identity import entity_uuid
from storage.errors import Unavailable
from tests.alerts.engine import Engine

FAILING = Watch(
    "deployments.failure_rate",
    3_600,
    Threshold(Operator.ABOVE, 0.1),
    LITERAL,
    keep_firing_seconds=0,
)
BUILDS = replace(FAILING, measure="builds.failure_rate")
HOUR = timedelta(hours=1)


async def test_a_rate_above_its_threshold_fires_and_resolves(engine: Engine) -> None:
    rule = await engine.rule("shop", FAILING)
    await engine.tick()
    assert await engine.history() == []
    await engine.deployments("shop", failed=1, succeeded=9)
    await engine.tick()
    assert await engine.history() == []
    await engine.deployments("shop", failed=1)
    await engine.tick()
    assert await engine.history() == [("", "firing")]
    (event,) = await engine.rows("alert_events")
    assert event["evidence"]["window"]["value"] == 2 / 11
    assert event["evidence"]["window"]["counts"]["failed"] == 2
    assert event["rule_id"] == rule
    (queued,) = await engine.rows("alert_outbox")
    assert queued["event_id"] == event["event_id"]
    (instance,) = await engine.rows("alert_instances")
    assert instance["episode_id"] == event["episode_id"]
    assert instance["phase"] == 2
    await engine.deployments("shop", succeeded=20)
    await engine.tick()
    assert await engine.history() == [("", "firing"), ("", "resolved")]
    assert len(await engine.rows("alert_outbox")) == 2


def above(measure: str, bound: float = 0.0, **more: Any) -> Watch:
    return Watch(measure, 3_600, Threshold(Operator.ABOVE, bound), LITERAL, **more)


async def test_for_and_keep_firing_count_from_the_first_evaluation(engine: Engine) -> None:
    await engine.rule("shop", replace(FAILING, for_seconds=30, keep_firing_seconds=20))
    await engine.deployments("shop", failed=1)
    for _ in range(4):
        await engine.tick()
    assert await engine.history() == [("", "pending"), ("", "firing")]
    (pending, firing) = sorted(await engine.rows("alert_events"), key=lambda row: row["at"])
    assert firing["at"] - pending["at"] == timedelta(seconds=30)
    assert pending["episode_id"] is None
    await engine.deployments("shop", succeeded=20)
    for _ in range(3):
        await engine.tick()
    assert (await engine.history())[-1] == ("", "resolved")


async def test_each_group_is_an_instance_of_its_own(engine: Engine) -> None:
    rule = await engine.rule("shop", above("deployments.failed", group_by=("environment",)))
    for environment in ("production", "staging", None):
        fields = {} if environment is None else {"environment": environment}
        await engine.deployments("shop", failed=environment != "staging", succeeded=1, **fields)
    await engine.tick()
    history = await engine.history(rule)
    assert sorted(history) == [
        ("environment=", "firing"),
        ("environment=production", "firing"),
    ]
    instances = {row["instance"]: row["labels"] for row in await engine.rows("alert_instances")}
    assert instances["environment=production"] == {"environment": "production"}


async def test_a_group_that_vanishes_resolves_where_nothing_is_zero(engine: Engine) -> None:
    rule = await engine.rule("shop", above("deployments.failed", group_by=("environment",)))
    rate = await engine.rule("shop", above("deployments.failure_rate", group_by=("environment",)))
    await engine.deployments("shop", failed=1, environment="production")
    await engine.tick()
    await engine.tick(2 * HOUR)
    assert [each for _, each in await engine.history(rule)] == ["firing", "resolved"]
    assert [each for _, each in await engine.history(rate)] == ["firing"]
    for _ in range(25):  # a gap would begin the time anew
        await engine.tick(timedelta(minutes=5))
    assert [each for _, each in await engine.history(rate)] == ["firing", "gone"]


async def test_at_most_a_hundred_groups_are_watched(engine: Engine) -> None:
    rule = await engine.rule("shop", above("invocations.invocations", group_by=("function",)))
    await engine.record(
        [
            {
                "type": "function.completed",
                "time": (engine.now - timedelta(minutes=1)).isoformat(),
                "id": f"{number}-{time}",
                "project": "shop",
                "function": f"f{number:03}",
            }
            for number in range(120)
            for time in range(1 + (number >= 110))
        ]
    )
    await engine.tick()
    events = await engine.rows("alert_events", rule)
    assert len(events) == 100
    assert {f"function=f{number}" for number in range(110, 120)} <= {
        event["instance"] for event in events
    }
    assert {event["evidence"]["left_out"] for event in events} == {20}


async def test_groups_that_fire_still_leave_room_for_fewer_others(engine: Engine) -> None:
    rule = await engine.rule("shop", above("invocations.invocations", group_by=("function",)))
    for prefix, functions in (("a", 70), ("b", 70)):
        time = (engine.now - timedelta(minutes=1)).isoformat()
        call = {"type": "function.completed", "time": time, "project": "shop"}
        await engine.record(
            [
                {**call, "id": f"{prefix}{number}-{n}", "function": f"{prefix}{number:02}"}
                for number in range(functions)
                for n in range(2 if number >= 40 and prefix == "b" else 1)
            ]
        )
        await engine.tick()
    fires = {event["instance"] for event in await engine.rows("alert_events", rule)}
    assert len(fires) == 100
    assert {f"function=a{number:02}" for number in range(70)} <= fires
    assert {f"function=b{number}" for number in range(40, 70)} <= fires


async def test_names_that_appear_later_are_found(engine: Engine) -> None:
    filter = {"environment": ("canary",)}
    rule = await engine.rule("shop", above("deployments.failed", filter=filter))
    await engine.deployments("shop", failed=1, environment="production")
    await engine.tick()
    assert await engine.history(rule) == []
    await engine.deployments("shop", failed=1, environment="canary")
    await engine.tick()
    assert await engine.history(rule) == [("", "firing")]


async def test_a_rule_watches_its_own_project_only(engine: Engine) -> None:
    ours, theirs = [await engine.rule(each, above("deployments.failed")) for each in ("one", "two")]
    platform = await engine.rule(None, above("deployments.failed", 1))
    by_project = await engine.rule(None, above("deployments.failed", 1, group_by=("project",)))
    await engine.deployments("one", failed=1)
    await engine.tick()
    assert await engine.history(ours) == [("", "firing")]
    assert await engine.history(theirs) == []
    assert await engine.history(platform) == []
    await engine.deployments("two", failed=1)
    await engine.tick()
    assert await engine.history(platform) == [("", "firing")]
    assert await engine.history(by_project) == []
    await engine.deployments("two", failed=1)
    await engine.tick()
    assert await engine.history(by_project) == [("project=two", "firing")]


async def test_absence(engine: Engine) -> None:
    rule = await engine.rule("shop", Watch("deployments.attempts", 3_600, Absence()))
    await engine.deployments("shop", succeeded=1)
    await engine.tick()
    assert await engine.history(rule) == []
    await engine.tick(2 * HOUR)
    assert await engine.history(rule) == [("", "firing")]


async def test_absence_of_a_group_that_was_there_before(engine: Engine) -> None:
    watch = Watch("deployments.attempts", 3_600, Absence(), group_by=("environment",))
    rule = await engine.rule("shop", watch)
    await engine.deployments("shop", succeeded=1, environment="a")
    await engine.deployments("shop", succeeded=1, environment="b", ago=90 * timedelta(minutes=1))
    await engine.tick()
    assert await engine.history(rule) == [("environment=b", "firing")]


@pytest.mark.parametrize(("before", "after", "fires"), [(10, 20, False), (10, 21, True)])
async def test_twice_as_many_as_in_the_hour_before(
    engine: Engine, before: int, after: int, fires: bool
) -> None:
    engine.now = engine.now.replace(second=50, microsecond=0) - timedelta(minutes=1)
    change = Change(Operator.ABOVE, 2.0)
    rule = await engine.rule("shop", Watch("deployments.attempts", 3_600, change, LITERAL))
    await engine.deployments("shop", succeeded=before, ago=timedelta(minutes=90))
    await engine.deployments("shop", succeeded=after)
    await engine.tick()
    assert bool(await engine.history(rule)) is fires


@pytest.mark.parametrize(("after", "fires"), [(1, False), (4, False), (5, True)])
async def test_a_few_events_after_none_are_no_spike(
    engine: Engine, after: int, fires: bool
) -> None:
    change = Change(Operator.ABOVE, 2.0)
    rule = await engine.rule("shop", Watch("deployments.attempts", 3_600, change, LITERAL))
    await engine.deployments("shop", succeeded=after)
    await engine.tick()
    assert bool(await engine.history(rule)) is fires


async def test_the_usual_guard_of_a_rate_leaves_chance_alone(engine: Engine) -> None:
    rule = await engine.rule("shop", replace(FAILING, guard=None))
    await engine.deployments("shop", failed=1)
    await engine.tick()
    assert await engine.history(rule) == []
    await engine.deployments("shop", failed=3)
    await engine.tick()
    (event,) = await engine.rows("alert_events", rule)
    assert event["evidence"]["guard"]["p_value"] == pytest.approx(0.1**4)


async def test_evidence_names_the_likely_deployment(engine: Engine) -> None:
    watch = above("deployments.failed", group_by=("environment",))
    ours, platform = await engine.rule("shop", watch), await engine.rule(None, watch)
    errors = await engine.rule("shop", above("invocations.errors"))
    ago = timedelta(minutes=30)
    await engine.deployments("shop", succeeded=1, deployment="good", environment="a", ago=ago)
    for environment in ("a", "b"):
        await engine.deployments("shop", failed=1, deployment=environment, environment=environment)
    call = {"type": "function.completed", "project": "shop", "function": "f", "status": "failed"}
    await engine.record([{**call, "time": (engine.now - timedelta(minutes=1)).isoformat()}])
    await engine.tick()
    rows = [*await engine.rows("alert_events"), *await engine.rows("alert_instances")]
    named = {
        (each["rule_id"], each["instance"]): each["evidence"]["deployment_id"] for each in rows
    }
    assert len(named) == 5
    for environment in ("a", "b"):
        expected = str(entity_uuid("shop", environment))
        assert named[ours, f"environment={environment}"] == expected
        assert named[platform, f"environment={environment}"] is None
    assert named[errors, ""] == str(entity_uuid("shop", "good"))


async def test_a_rule_that_is_disabled_or_deleted_ends_its_instances(engine: Engine) -> None:
    disabled, deleted = [await engine.rule("shop", FAILING) for _ in range(2)]
    await engine.deployments("shop", failed=1)
    await engine.tick()
    await engine.disable(disabled)
    await engine.delete(deleted)
    await engine.tick()
    for rule in (disabled, deleted):
        assert [each for _, each in await engine.history(rule)] == ["firing", "gone"]
    await engine.tick()
    assert await engine.rows("alert_instances") == []


async def test_groups_of_before_end_when_the_rule_groups_by_something_else(engine: Engine) -> None:
    rule = await engine.rule("shop", above("deployments.failed", group_by=("environment",)))
    await engine.deployments("shop", failed=1, environment="production", framework="next")
    await engine.tick()
    await engine.change(rule, above("deployments.failed", group_by=("framework",)))
    await engine.tick()
    assert sorted(await engine.history(rule)) == [
        ("environment=production", "firing"),
        ("environment=production", "gone"),
        ("framework=next", "firing"),
    ]


async def test_a_failed_statement_makes_rules_unhealthy_and_changes_no_phase(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing, other = await engine.rule("shop", FAILING), await engine.rule("shop", BUILDS)
    await engine.deployments("shop", failed=1)
    await engine.tick()
    run_each = Analytics.run_each

    async def broken(self: Analytics, questions: Any, state: OneState) -> Any:
        answers = await run_each(self, questions, state)
        error = Unavailable("away")
        return [
            error if each.fact == "deployment" else answer
            for each, answer in zip(questions, answers, strict=True)
        ]

    monkeypatch.setattr(Analytics, "run_each", broken)
    report = await engine.tick()
    assert report.failing == 1
    assert await engine.history(failing) == [("", "firing")]
    rows = {row["rule_id"]: row for row in await engine.rows("alert_instances")}
    assert (rows[failing]["phase"], rows[failing]["health"]) == (2, 2)
    assert rows[other]["health"] == 1
    assert len(await engine.rows("alert_outbox")) == 1
    # Another worker takes over meanwhile.
    engine = Engine(engine.database, engine.intake, engine.now, engine.holder)
    for _ in range(4):
        await engine.tick(timedelta(minutes=2))
    assert await engine.history(failing) == [("", "firing"), ("", "failing")]
    monkeypatch.undo()
    for _ in range(2):
        await engine.tick()
    assert [each for _, each in await engine.history(failing)][1:] == ["failing", "recovered"]
    queued = {row["event_id"] for row in await engine.rows("alert_outbox")}
    assert queued == {row["event_id"] for row in await engine.rows("alert_events")}


@pytest.mark.parametrize("step", ["found_in", "judged"])
async def test_what_goes_wrong_with_one_rule_keeps_no_other_from_firing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    bad, good = await engine.rule("shop", FAILING), await engine.rule("shop", FAILING)
    await engine.deployments("shop", failed=1)
    works = getattr(evaluator, step)

    def broken(rule: Watched, *given: Any) -> Any:
        if rule.stored.id == bad:
            raise ZeroDivisionError
        return works(rule, *given)

    monkeypatch.setattr(evaluator, step, broken)
    report = await engine.tick()
    assert report.failing == 1
    assert await engine.history(good) == [("", "firing")]
    (row,) = await engine.rows("alert_instances", bad)
    assert row["evidence"]["reason"] == "The rule cannot be evaluated: ZeroDivisionError"


async def test_what_fires_waits_while_its_rule_cannot_be_read(engine: Engine) -> None:
    bad, good = await engine.rule("shop", FAILING), await engine.rule("shop", FAILING)
    await engine.deployments("shop", failed=1)
    await engine.tick()
    kept = "update alert_rules set document = $2, revision = revision + 1 where rule_id = $1"
    (row,) = await engine.rows("alert_rules", bad)
    async with engine.database.transaction() as connection:
        await connection.execute(kept, bad, {"name": "x"})
    engine = Engine(engine.database, engine.intake, engine.now, engine.holder)
    await engine.deployments("shop", succeeded=20)
    await engine.tick()
    await engine.follow()
    assert [each for _, each in await engine.history(good)] == ["firing", "resolved"]
    assert [row["phase"] for row in await engine.rows("alert_instances", bad)] == [2]
    async with engine.database.transaction() as connection:
        await connection.execute(kept, bad, row["document"])
    engine = Engine(engine.database, engine.intake, engine.now, engine.holder)
    await engine.tick()
    assert [each for _, each in await engine.history(bad)] == ["firing", "resolved"]


async def test_a_rule_that_cannot_be_read_is_told_and_ended(engine: Engine) -> None:
    rules = [await engine.rule("shop", FAILING) for _ in range(2)]
    on_event = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.follow()
    await engine.deployments("shop", failed=1)
    await engine.tick()
    await engine.follow()
    broken = {"severity": "critical", "channels": ["ops"], "trigger": {"kind": "watch"}}
    async with engine.database.transaction() as connection:
        update = "update alert_rules set document = $1, revision = 2"
        await connection.execute(update, broken)
    engine = Engine(engine.database, engine.intake, engine.now, engine.holder)
    assert (await engine.tick()).failing == 3
    (row,) = await engine.rows("alert_instances", rules[0])
    assert (row["phase"], row["health"]) == (2, 2)
    assert row["evidence"]["reason"].startswith("What is stored cannot be read: trigger.watch")
    for _ in range(3):
        await engine.tick(timedelta(minutes=2))
    await engine.disable(rules[0])
    await engine.delete(rules[1])
    await engine.delete(on_event)
    for _ in range(2):
        await engine.tick()
        await engine.follow()
    for rule in rules:
        assert await engine.history(rule) == [("", "firing"), ("", "failing"), ("", "gone")]
    course = [each for _, each in await engine.history(on_event)]
    assert course == ["firing", "failing", "gone"]
    events = await engine.rows("alert_events")
    told = {row["severity"] for row in events if row["transition"] == "failing"}
    assert told == {"critical"}
    queued = {row["event_id"] for row in await engine.rows("alert_outbox")}
    assert queued == {row["event_id"] for row in events}
    assert await engine.rows("alert_instances") == []


async def test_flapping_is_told_and_then_sends_pause(engine: Engine) -> None:
    rule = await engine.rule("shop", replace(FAILING, window_seconds=60))
    for _ in range(5):
        await engine.deployments("shop", failed=1, ago=timedelta(0))
        await engine.tick(timedelta(seconds=1))
        engine.now += timedelta(minutes=2)
        await engine.deployments("shop", succeeded=1, ago=timedelta(0))
        await engine.tick(timedelta(seconds=1))
        engine.now += timedelta(minutes=2)
    kinds = [each for _, each in await engine.history(rule)]
    assert kinds.count("flapping") == 1
    assert kinds.count("firing") == 5
    sent = {row["event_id"] for row in await engine.rows("alert_outbox")}
    told = [
        row["transition"] for row in await engine.rows("alert_events") if row["event_id"] in sent
    ]
    assert sorted(told) == sorted(["firing", "resolved"] * 3 + ["flapping"])


async def test_nothing_is_written_while_nothing_changes(engine: Engine) -> None:
    for _ in range(3):
        await engine.rule("shop", FAILING)
    await engine.deployments("shop", failed=1)
    reports = [await engine.tick() for _ in range(3)]
    assert [report.changed for report in reports] == [3, 0, 0]
    assert [report.rules for report in reports] == [3, 3, 3]
    assert {report.statements for report in reports} == {1}
    await engine.rule("shop", BUILDS)
    assert (await engine.tick()).rules == 4


async def test_missed_ticks_are_counted(engine: Engine) -> None:
    await engine.tick()
    assert (await engine.tick()).missed == 0
    assert (await engine.tick(timedelta(minutes=1))).missed == 5
