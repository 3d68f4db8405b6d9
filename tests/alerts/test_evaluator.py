"""The evaluator reads what happened from a real database, and writes what follows from it."""

from datetime import timedelta

from alerts.rules import LITERAL, Operator, Threshold, Watch
from tests.alerts.engine import Engine

FAILING = Watch(
    "deployments.failure_rate",
    3_600,
    Threshold(Operator.ABOVE, 0.1),
    LITERAL,
    keep_firing_seconds=0,
)
LATER = timedelta(hours=2)


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
