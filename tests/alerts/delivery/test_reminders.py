"""Of many alerts that fire, those are read that somebody is to be told of now."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from alerts.delivery import KINDS
from alerts.outbox import _repeats
from alerts.rules import Severity
from storage.alerts import outbox
from tests.alerts.delivery.stage import NOW, Stage, rule

HOUR = timedelta(hours=1)


@pytest.fixture
async def many(told: Stage) -> Stage:
    """Of 4,000 alerts that fire 3 were never told, and 2 long ago; nothing waits."""
    channel_id = await told.webhook("https://hooks.example.com/")
    rule_id = await told.rule(rule())
    await told.execute(
        "insert into alert_instances (rule_id, instance, labels, phase, since, health, firings,"
        " flapping, episode_id, evidence) select $1, 'n' || n, '{}', 2, $2, 0, '[]', false,"
        " md5('e' || n)::uuid, '{}' from generate_series(1, 4000) as n",
        *(rule_id, NOW),
    )
    await told.execute(
        "insert into alert_events (event_id, rule_id, instance, episode_id, transition, at,"
        " revision, severity, labels, evidence) select md5('v' || instance)::uuid, rule_id,"
        " instance, episode_id, 'firing', since, 1, 'warning', labels, evidence"
        " from alert_instances",
    )
    await told.execute(
        "insert into alert_told select $1, episode_id, 'firing',"
        " case when instance in ('n10', 'n11') then $2::timestamptz else $3::timestamptz end"
        " from alert_instances where instance not in ('n1', 'n2', 'n3')",
        *(channel_id, NOW - 4 * HOUR, NOW - HOUR),
    )
    await told.execute("analyze alert_instances, alert_events, alert_told")
    return told


async def due(stage: Stage, now: Any = NOW) -> set[str]:
    async with stage.database.connection() as connection:
        found = await outbox.due(connection, 500, None, _repeats(now))
    return {each.instance for each in found}


async def test_those_are_read_that_are_due(many: Stage) -> None:
    assert await due(many) == {"n1", "n2", "n3", "n10", "n11"}
    await many.execute("update alert_instances set acknowledged_at = $1", NOW)
    assert await due(many) == {"n1", "n2", "n3"}, "acknowledged ones only if never told"
    await many.execute("update alert_channels set kind = 'pagerduty'")
    assert len(await due(many)) == 5, "unless the receiver keeps incidents"
    await many.execute("update alert_told set action = 'resolved'")
    assert await due(many) == {"n1", "n2", "n3"}
    await many.execute("update alert_channels set enabled = false")
    assert await due(many) == set()


async def test_a_critical_rule_is_due_after_an_hour(many: Stage) -> None:
    critical = """update alert_rules set document = document || '{"severity": "critical"}'"""
    assert len(await due(many, NOW - timedelta(seconds=1))) == 3
    await many.execute(critical)
    assert len(await due(many)) == 500, "all, so many at once"
    assert await due(many, NOW - timedelta(seconds=1)) == {"n1", "n2", "n3", "n10", "n11"}


async def test_what_a_channel_of_the_project_hides_is_not_due(told: Stage) -> None:
    project_id = await told.project("shop")
    await told.channel("hook", "in_app", {}, project_id=project_id)
    await told.webhook("https://hooks.example.com/")
    await told.happen(await told.rule(rule(), project_id), project_id=project_id)
    await told.execute("truncate alert_outbox")
    assert await due(told) == set(), "nothing is sent to it, though to the platform's it would be"


async def test_a_document_may_be_any_json(told: Stage) -> None:
    await told.webhook("https://hooks.example.com/")
    await told.happen(await told.rule(rule()))
    await told.execute("truncate alert_outbox")
    documents: list[Any] = [{"channels": None}, {"channels": "hook"}, {"channels": {"a": 1}}, [], 7]
    for document in documents:
        await told.execute("update alert_rules set document = $1", document)
        assert await due(told) == set()
    await told.execute("update alert_rules set document = $1", {"channels": ["hook"]})
    assert await due(told) == {""}


async def test_they_are_found_by_indexes(many: Stage) -> None:
    repeats = _repeats(NOW)
    given = repeats.critical_before, repeats.others_before, repeats.kinds, repeats.keep_state
    rows = await many.fetch(f"explain analyze {outbox.DUE}", UUID(int=0), "", 500, None, *given)
    plan = "\n".join(row[0] for row in rows)
    assert re.search(r"Index Scan using alert_told_\w+ on alert_told", plan), plan
    begun = re.findall(r"alert_events begun .*loops=(\d+)\)", plan)
    assert begun == ["5"], "the history is read of those that are due alone"
    assert "Seq Scan on alert_events" not in plan
    assert "Seq Scan on alert_told" not in plan
    await many.execute("update alert_instances set phase = 0 where instance <> 'n1'")
    await many.execute("analyze alert_instances")
    rows = await many.fetch(f"explain {outbox.DUE}", UUID(int=0), "", 500, None, *given)
    assert "alert_instances_firing_idx" in "\n".join(row[0] for row in rows)


def test_every_kind_is_told_or_not() -> None:
    repeats = _repeats(NOW)
    assert set(KINDS) - set(repeats.kinds) == {"in_app"}
    assert set(repeats.keep_state) == {"pagerduty", "alertmanager"}
    assert Severity.CRITICAL.value == "critical", "the statement names it"
