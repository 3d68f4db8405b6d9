"""Of two evaluators on one database one leads, and the other takes over."""

import asyncio
from datetime import timedelta

import pytest

from alerts.leader import LEASE_SECONDS, Leader
from alerts.rules import LITERAL, EventKind, OnEvent, Operator, Threshold, Watch
from storage.errors import Conflict
from tests.alerts.engine import Engine

FAILED = Watch("deployments.failed", 3_600, Threshold(Operator.ABOVE, 0), LITERAL)


async def expire(engine: Engine) -> None:
    async with engine.database.transaction() as connection:
        await connection.execute("update leases set expires_at = now() - interval '1 second'")


async def test_one_leads_and_another_takes_over(engine: Engine) -> None:
    first, second = Leader(engine.database, "first"), Leader(engine.database, "second")
    assert await first.renew() == 1
    assert await second.renew() is None
    assert await first.renew() == 1
    assert (first.fence, second.fence) == (1, None)
    await expire(engine)
    assert await second.renew() == 2
    assert await first.renew() is None
    assert first.fence is None


async def test_one_that_stops_leaves_it_to_others_at_once(engine: Engine) -> None:
    first, second = Leader(engine.database, "first"), Leader(engine.database, "second")
    await first.renew()
    await second.resign()  # it has nothing to give back
    assert await second.renew() is None
    await first.resign()
    assert first.fence is None
    assert await second.renew() == 2


async def test_a_leader_that_cannot_renew_no_longer_leads(engine: Engine) -> None:
    now = 0.0
    leader = Leader(engine.database, "first", lambda: now)
    assert await leader.renew() == 1
    now = LEASE_SECONDS - 0.1
    assert leader.fence == 1
    now = LEASE_SECONDS
    assert leader.fence is None


async def test_a_deposed_leader_writes_nothing(engine: Engine) -> None:
    watch = await engine.rule("shop", FAILED)
    on_event = await engine.rule("shop", OnEvent(EventKind.DEPLOYMENT_FAILED))
    await engine.tick()
    await engine.follow()
    fence = engine.leader.fence
    assert fence is not None
    second = Engine(engine.database, engine.intake, engine.now, "second")
    await expire(engine)
    assert await second.leader.renew() == fence + 1
    await engine.deployments("shop", failed=1)
    for deposed in (engine.evaluator.tick, engine.on_events.step):
        with pytest.raises(Conflict):
            await deposed(fence)
    assert await engine.rows("alert_events") == []
    await second.tick()
    await second.follow()
    assert await engine.history(watch) == [("", "firing")]
    assert len(await engine.rows("alert_events", on_event)) == 1


async def test_two_that_both_believe_to_lead_tell_each_transition_once(engine: Engine) -> None:
    rule = await engine.rule("shop", FAILED)
    other = Engine(engine.database, engine.intake, engine.now, engine.holder)
    for each in (engine, other):
        await each.tick()
    await engine.deployments("shop", failed=1)
    # Even under one fence, only one of two evaluations of a state is written.
    results = await asyncio.gather(engine.tick(), other.tick(), return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 1, results
    assert await engine.history(rule) == [("", "firing")]
    for each in (engine, other):
        await each.tick()
    assert await engine.history(rule) == [("", "firing")]
    assert len(await engine.rows("alert_outbox")) == 1


async def test_after_a_failure_all_is_read_again(engine: Engine) -> None:
    rule = await engine.rule("shop", FAILED)
    await engine.tick()
    await engine.follow()
    fence = engine.leader.fence
    assert fence is not None
    await engine.deployments("shop", failed=1)
    await expire(engine)
    with pytest.raises(Conflict):  # the lease has ended, though nobody else has taken it
        await engine.evaluator.tick(fence)
    engine.now += timedelta(seconds=20)
    with pytest.raises(Conflict):
        await engine.on_events.step(fence)
    await engine.tick()
    await engine.follow()
    assert await engine.history(rule) == [("", "firing")]
