"""What belongs to alerts goes after its time, and what still matters stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.rules import LITERAL, Operator, Threshold, Watch
from storage.keeping.retention import enforce
from storage.keeping.windows import DEFAULT
from tests.alerts.engine import Engine

FAILED = Watch("deployments.failed", 3_600, Threshold(Operator.ABOVE, 0), LITERAL)
DAY = timedelta(days=1)


async def counts(engine: Engine) -> dict[str, int]:
    tables = ("instances", "events", "outbox", "rules", "revisions")
    return {name: len(await engine.rows(f"alert_{name}")) for name in tables}


async def enforced(engine: Engine, after: timedelta) -> dict[str, Any]:
    report = await enforce(engine.database, DEFAULT, engine.now + after, holder="a")
    assert report is not None
    return report.deleted


async def test_quiet_instances_old_history_and_deleted_rules_go(engine: Engine) -> None:
    kept, deleted = await engine.rule("shop", FAILED), await engine.rule("shop", FAILED)
    quiet = await engine.rule("quiet", FAILED)
    engine.now = datetime.now(UTC)
    for project in ("shop", "quiet"):
        await engine.deployments(project, failed=1)
    await engine.tick()
    await engine.disable(quiet)
    await engine.delete(deleted)
    await engine.tick()
    assert await counts(engine) == {
        "instances": 3,
        "events": 5,
        "outbox": 5,
        "rules": 3,
        "revisions": 5,
    }
    await enforced(engine, 2 * DAY)
    assert [row["rule_id"] for row in await engine.rows("alert_instances")] == [kept]
    assert (await counts(engine))["outbox"] == 5
    await enforced(engine, 8 * DAY)
    assert (await counts(engine))["outbox"] == 0
    await enforced(engine, 367 * DAY)
    # The instance fires still, and the rules that were not deleted keep all their revisions.
    assert await counts(engine) == {
        "instances": 1,
        "events": 0,
        "outbox": 0,
        "rules": 2,
        "revisions": 3,
    }
