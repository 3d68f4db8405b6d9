"""Rules over how things stand now: they end as soon as these stand otherwise."""

from datetime import timedelta
from typing import Any

from alerts.presets import PRESETS
from alerts.rules import DAY_SECONDS, INSTANCES_AT_MOST, Operator, Threshold, Watch
from tests.alerts.engine import Engine

SLOW = Watch("deployments.longest_running_ms", DAY_SECONDS, Threshold(Operator.ABOVE, 600_000))
EXPIRING = PRESETS["certificate_expiring"].trigger


def deployment(engine: Engine, name: str, type_: str, seconds_ago: int) -> dict[str, Any]:
    return {
        "type": f"deployment.{type_}",
        "time": (engine.now - timedelta(seconds=seconds_ago)).isoformat(),
        "project": "shop",
        "deployment": name,
    }


def certificate(engine: Engine, name: str, domain: str, days_left: float) -> dict[str, Any]:
    return {
        "type": "certificate.issued",
        "time": engine.now.isoformat(),
        "project": "shop",
        "certificate": name,
        "domain": domain,
        "notAfter": (engine.now + timedelta(days=days_left)).isoformat(),
    }


async def test_a_deployment_that_runs_too_long_fires_until_it_ends(engine: Engine) -> None:
    """R72: after 9 minutes it does not fire yet."""
    await engine.rule("shop", SLOW)
    await engine.record([deployment(engine, "quick", "started", 540)])
    await engine.tick()
    assert await engine.history() == []
    await engine.record([deployment(engine, "slow", "started", 611)])
    await engine.tick()
    assert await engine.history() == [("", "firing")]
    (event,) = await engine.rows("alert_events")
    assert 600_000 < event["evidence"]["window"]["value"] < 700_000
    await engine.record([deployment(engine, "slow", "failed", 0)])
    await engine.tick()
    assert await engine.history() == [("", "firing"), ("", "resolved")]


async def test_a_certificate_that_expires_fires_until_it_is_renewed(engine: Engine) -> None:
    assert isinstance(EXPIRING, Watch)
    await engine.rule("shop", EXPIRING)
    await engine.record(
        [
            certificate(engine, "a-1", "a.example.com", 13),
            certificate(engine, "b-1", "b.example.com", 15),
        ]
    )
    await engine.tick()
    (event,) = await engine.rows("alert_events")
    assert event["evidence"]["labels"] == {"domain": "a.example.com"}
    await engine.record([certificate(engine, "a-2", "a.example.com", 90)])
    await engine.tick()
    assert [transition for _, transition in await engine.history()] == ["firing", "resolved"]


async def test_of_many_domains_those_that_expire_first_are_watched(engine: Engine) -> None:
    assert isinstance(EXPIRING, Watch)
    await engine.rule("shop", EXPIRING)
    lasting = range(INSTANCES_AT_MOST)
    await engine.record(
        [certificate(engine, f"c-{n}", f"{n}.example.com", 90 + n) for n in lasting]
    )
    await engine.record([certificate(engine, "last", "last.example.com", 1)])
    await engine.tick()
    (event,) = await engine.rows("alert_events")
    assert event["evidence"]["labels"] == {"domain": "last.example.com"}
