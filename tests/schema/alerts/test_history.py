"""What happened to alerts: instances, events, acknowledgements, and what was not read yet."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from alerts.evidence import EVIDENCE, Evidence, GuardVerdict, Measured, Subject
from alerts.rules import GuardKind
from alerts.states import Outcome
from resolvers.identifiers import decode
from storage.alerts import history, instances
from storage.alerts.history import EventRow
from storage.alerts.instances import InstanceRow
from tests.schema.alerts.asking import (
    ACKNOWLEDGE,
    changed,
    created,
    maintainer,
    new_project,
    reader,
)
from tests.schema.platform import ADMIN, NOW, Platform

EVIDENCE_FIELDS = """asOf outcome measure bound reason
  window { start end value components { name value } } baseline { value }
  guard { kind isMet trials pValue } subject { kind title id }"""
HISTORY = f"""query($id: ID!) {{ alert(id: $id) {{ state health firing
  instances {{ name state since value bound flapping labels {{ name value }} acknowledgedBy
    evidence {{ {EVIDENCE_FIELDS} }} }}
  events {{ nodes {{ id transition at instance severity revision episodeId by
    labels {{ name value }} alert {{ name }} project {{ slug }}
    evidence {{ {EVIDENCE_FIELDS} }} }} }} }} }}"""
EVENTS = """query($filter: AlertEventFilter, $range: TimeRange) {
  alertEvents(filter: $filter, range: $range) { totalCount nodes { transition at } } }"""
UNREAD = "{ unreadAlertEvents { totalCount nodes { transition alert { name } } } }"
READ = """mutation($input: MarkAlertsReadInput) {
  markAlertsRead(input: $input) { readAt userErrors { message } } }"""

WINDOW = Measured(NOW - timedelta(hours=1), NOW, 0.25, {"failed": 5, "succeeded": 15})


def found(project_id: int) -> Evidence:
    return Evidence(
        NOW,
        Outcome.BREACH,
        "deployments.failure_rate",
        WINDOW,
        Measured(NOW - timedelta(hours=2), NOW - timedelta(hours=1), None, {}),
        0.1,
        GuardVerdict(GuardKind.SIGNIFICANT, is_met=True, trials=20, p_value=0.002),
        Subject("Deployment", str(UUID(int=project_id)), "shop-1"),
    )


def key_of(alert: dict[str, Any]) -> tuple[UUID, int | None]:
    identifier = decode(alert["id"])
    return UUID(identifier.key), identifier.number or None


async def fire(platform: Platform, alert: dict[str, Any], *, at: datetime = NOW) -> UUID:
    """Lets an alert fire, as the evaluator stores it; returns the id of the firing."""
    rule_id, project_id = key_of(alert)
    episode_id, labels = uuid4(), {"network": "metis"}
    evidence = EVIDENCE.dump_python(found(project_id or 0), mode="json")
    row = InstanceRow(
        *(rule_id, "metis", project_id, labels, 2, at, None, 0, None, [], False, episode_id),
        *(0.25, 0.1, evidence),
    )
    async with platform.services.database.transaction() as connection:
        await instances.write(connection, [row])
    await happen(platform, alert, "firing", at, episode_id)
    return episode_id


async def happen(
    platform: Platform,
    alert: dict[str, Any],
    transition: str,
    at: datetime,
    episode_id: UUID | None = None,
) -> None:
    rule_id, project_id = key_of(alert)
    evidence = EVIDENCE.dump_python(found(project_id or 0), mode="json")
    event = EventRow(
        *(uuid4(), rule_id, "metis", project_id, episode_id, transition, at, 1, "warning"),
        *({"network": "metis"}, evidence),
    )
    async with platform.services.database.transaction() as connection:
        await history.add(connection, [event], set())


async def test_what_happened_is_shown_with_its_evidence(platform: Platform, project: str) -> None:
    made = await created(platform, project)
    episode_id = await fire(platform, made)
    _, project_id = key_of(made)
    shown = (await platform.ask(HISTORY, reader(project), id=made["id"]))["alert"]
    assert (shown["state"], shown["health"], shown["firing"]) == ("FIRING", "OK", 1)
    (instance,), (event,) = shown["instances"], shown["events"]["nodes"]
    labels = [{"name": "network", "value": "metis"}]
    assert (instance["name"], instance["state"], instance["labels"]) == ("metis", "FIRING", labels)
    assert (instance["value"], instance["bound"]) == (0.25, 0.1)
    assert (event["transition"], event["severity"], event["revision"]) == ("FIRING", "WARNING", 1)
    assert event["episodeId"] == str(episode_id)
    assert (event["alert"], event["project"]) == ({"name": made["name"]}, {"slug": project})
    evidence = event["evidence"]
    assert evidence == instance["evidence"]
    assert evidence["window"] == {
        "start": (NOW - timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
        "end": NOW.isoformat().replace("+00:00", "Z"),
        "value": 0.25,
        "components": [{"name": "failed", "value": 5}, {"name": "succeeded", "value": 15}],
    }
    assert evidence["guard"] == {
        "kind": "SIGNIFICANT",
        "isMet": True,
        "trials": 20,
        "pValue": 0.002,
    }
    assert (evidence["baseline"], evidence["bound"]) == ({"value": None}, 0.1)
    subject = decode(evidence["subject"]["id"])
    assert (subject.kind, subject.number) == ("Deployment", project_id)


async def test_an_event_is_a_node(platform: Platform, project: str) -> None:
    made = await created(platform, project)
    await fire(platform, made)
    shown = (await platform.ask(HISTORY, reader(project), id=made["id"]))["alert"]
    (event,) = shown["events"]["nodes"]
    node = """query($ids: [ID!]!) { nodes(ids: $ids) {
      ... on AlertEvent { transition } ... on Alert { name } } }"""
    asked = {"ids": [event["id"], made["id"]]}
    found = await platform.ask(node, reader(project), **asked)
    assert found["nodes"] == [{"transition": "FIRING"}, {"name": made["name"]}]
    other = await platform.ask(node, reader(await new_project(platform)), **asked)
    assert other["nodes"] == [None, None]


async def test_somebody_takes_care_of_what_fires(platform: Platform, project: str) -> None:
    made, keeper = await created(platform, project), maintainer(project)
    given = {"id": made["id"], "instance": "metis"}
    (error,) = (await changed(platform, ACKNOWLEDGE, keeper, **given))["userErrors"]
    assert (error["field"], error["code"]) == (["input", "instance"], "NOT_FOUND")
    await fire(platform, made)
    for viewer in (keeper, ADMIN):  # the second comes too late
        done = await changed(platform, ACKNOWLEDGE, viewer, **given)
        assert done["alert"]["instances"] == [{"name": "metis", "acknowledgedBy": keeper.subject}]
    shown = (await platform.ask(HISTORY, keeper, id=made["id"]))["alert"]
    events = [(each["transition"], each["by"]) for each in shown["events"]["nodes"]]
    assert sorted(events) == [("ACKNOWLEDGED", keeper.subject), ("FIRING", None)]
    async with platform.services.database.connection() as connection:
        queued = await connection.fetchval(
            "select count(*) from alert_outbox join alert_events using (event_id)"
            " where rule_id = $1",
            key_of(made)[0],
        )
    assert queued == 1, "receivers are told"


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({}, 3),
        ({"transitions": ["RESOLVED"]}, 1),
        ({"transitions": ["RESOLVED", "FIRING"]}, 2),
        ({"severities": ["CRITICAL"]}, 0),
    ],
)
async def test_events_are_filtered(
    platform: Platform, project: str, filter: dict[str, Any], found: int
) -> None:
    made = await created(platform, project)
    await fire(platform, made)
    for minutes, transition in ((1, "flapping"), (2, "resolved")):
        await happen(platform, made, transition, NOW + timedelta(minutes=minutes))
    of_alert = {"alerts": [made["id"]], **filter}
    seen = await platform.ask(EVENTS, reader(project), filter=of_alert)
    assert seen["alertEvents"]["totalCount"] == found
    in_time = {"start": NOW.isoformat(), "end": (NOW + timedelta(minutes=1)).isoformat()}
    within = await platform.ask(
        EVENTS, reader(project), filter=of_alert, range={"between": in_time}
    )
    assert within["alertEvents"]["totalCount"] == (found == 3 or "FIRING" in str(filter))


async def test_what_was_not_read_is_counted_for_each_subject(
    platform: Platform, project: str
) -> None:
    made, ada, bob = await created(platform, project), maintainer(project), reader(project)
    bob = type(bob)("bob", bob.roles, bob.project_slugs)
    await fire(platform, made)
    await happen(platform, made, "pending", NOW)
    for viewer in (ada, bob):
        unread = (await platform.ask(UNREAD, viewer))["unreadAlertEvents"]
        assert unread["totalCount"] == 1, "what nobody is told about is not among them"
        assert unread["nodes"] == [{"transition": "FIRING", "alert": {"name": made["name"]}}]
    earlier = (NOW - timedelta(minutes=1)).isoformat()
    await platform.ask(READ, ada, input={"until": earlier})
    assert (await platform.ask(UNREAD, ada))["unreadAlertEvents"]["totalCount"] == 1
    done = await platform.ask(READ, ada)
    assert done["markAlertsRead"]["readAt"] == NOW.isoformat().replace("+00:00", "Z")
    assert (await platform.ask(UNREAD, ada))["unreadAlertEvents"]["totalCount"] == 0
    await platform.ask(READ, ada, input={"until": earlier})
    assert (await platform.ask(UNREAD, ada))["unreadAlertEvents"]["totalCount"] == 0
    assert (await platform.ask(UNREAD, bob))["unreadAlertEvents"]["totalCount"] == 1
