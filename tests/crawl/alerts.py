"""Alerts of a tenant: a rule that fires, its history, and whom it tells."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from alerts.evidence import EVIDENCE, Evidence, GuardVerdict, Measured, Subject
from alerts.rules import RULE, GuardKind, Operator, Rule, Threshold, Watch
from alerts.states import Outcome
from storage.alerts import channels, rules, sends, silences
from storage.alerts.changes import publish
from storage.alerts.channels import ChannelRow, Sealed
from storage.alerts.rules import RuleRow
from storage.alerts.sends import NewSend, SendStatus
from storage.alerts.silences import SilenceRow
from storage.connections.database import Connection

RULES = 2


async def load(connection: Connection, project_id: int, tenant: str, now: datetime) -> None:
    """Two rules with an instance, an event and a revision each, a channel and a silence."""
    for number in range(RULES):
        row = _rule(project_id, tenant, number, now)
        assert await rules.add(connection, row) is None
        await _fires(connection, row, tenant, now)
        await publish(connection, [(project_id, row.rule_id)])
    await _channel(connection, project_id, tenant, now)
    silence = SilenceRow(
        silence_id=_id("silence", project_id),
        project_id=project_id,
        matchers=[{"label": "team", "value": f"{tenant}-value"}],
        starts_at=now,
        ends_at=now + timedelta(days=1),
        until_resolved=False,
        schedule=None,
        comment=f"{tenant}-comment",
        created_at=now,
        created_by=f"{tenant}-keeper",
    )
    assert await silences.add(connection, silence, now) is None


async def _channel(connection: Connection, project_id: int, tenant: str, now: datetime) -> None:
    """A channel with a message that did not arrive."""
    channel_id, by = _id("channel", project_id), f"{tenant}-keeper"
    channel = ChannelRow(
        channel_id=channel_id,
        project_id=project_id,
        name=f"{tenant}-channel",
        kind="webhook",
        enabled=True,
        settings={"url": f"https://example.com/{tenant}"},
        secrets={"secret": Sealed("s" * 20)},
        sends_per_hour=60,
        created_at=now,
        created_by=by,
        changed_at=now,
        changed_by=by,
    )
    assert await channels.add(connection, channel) is None
    send = NewSend(
        *(_id("send", project_id), project_id, channel_id, "group", []),
        *({"title": f"{tenant}-title"}, SendStatus.DEAD, f"{tenant}-why", now, None),
    )
    await sends.add(connection, [send])
    await connection.execute(_ATTEMPT, send.send_id, now, f"{tenant}-detail")


_OF_RULES = ("rule-0", "rule-1", "team", "instance", "group", "subject", "reason", "keeper")
_OF_SENDS = ("value", "comment", "channel", "title", "why")


def texts(tenant: str) -> list[str]:
    """What only the tenant sees of its alerts."""
    return [
        f"{tenant}-{each}"
        for each in (
            *_OF_SENDS,
            "rule-0",
            "rule-1",
            "team",
            "instance",
            "group",
            "subject",
            "reason",
            "keeper",
        )
    ]


def _id(*parts: object) -> UUID:
    return uuid5(NAMESPACE_URL, ":".join(map(str, parts)))


def rule_id(project_id: int, number: int) -> UUID:
    return _id("rule", project_id, number)


def _rule(project_id: int, tenant: str, number: int, now: datetime) -> RuleRow:
    watch = Watch("deployments.failure_rate", 3_600, Threshold(Operator.ABOVE, 0.1))
    rule = Rule(f"{tenant}-rule-{number}", watch, labels={"team": f"{tenant}-team"})
    document, by = RULE.dump_python(rule, mode="json"), f"{tenant}-keeper"
    id = rule_id(project_id, number)
    return RuleRow(id, project_id, rule.name, True, document, 1, now, by, now, by)


def _evidence(tenant: str, now: datetime) -> dict[str, Any]:
    window = Measured(now - timedelta(hours=1), now, 0.5, {"failed": 1, "succeeded": 1})
    verdict = GuardVerdict(GuardKind.LITERAL, True)
    subject = Subject("Deployment", str(_id("deployment", tenant)), f"{tenant}-subject")
    found = Evidence(
        *(now, Outcome.BREACH, "deployments.failure_rate", window, None, 0.1, verdict, subject),
        reason=f"{tenant}-reason",
    )
    return dict(EVIDENCE.dump_python(found, mode="json"))


async def _fires(connection: Connection, row: RuleRow, tenant: str, now: datetime) -> None:
    labels, evidence = {"environment": f"{tenant}-group"}, _evidence(tenant, now)
    of = row.rule_id, f"{tenant}-instance", row.project_id, _id("episode", row.rule_id)
    await connection.execute(_INSTANCE, *of, now, labels, evidence)
    await connection.execute(_EVENT, *of, now, labels, evidence, _id("event", row.rule_id))


_ATTEMPT = """
insert into alert_attempts (send_id, attempt, at, outcome, detail)
values ($1, 1, $2, 'refused', $3)
"""

_INSTANCE = """
insert into alert_instances (rule_id, instance, project_id, episode_id, since, labels, evidence,
  phase, health, firings, flapping, value, bound)
values ($1, $2, $3, $4, $5, $6, $7, 2, 0, '[]', false, 0.5, 0.1)
"""

_EVENT = """
insert into alert_events (rule_id, instance, project_id, episode_id, at, labels, evidence,
  event_id, transition, revision, severity)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'firing', 1, 'warning')
"""
