"""Channels are made, changed, tested and deleted; their secrets are never shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from access.sealing import PREFIX, Seals
from alerts.resealing import reseal
from resolvers.identifiers import decode
from storage.alerts import sends
from storage.alerts.sends import NewSend, SendStatus
from storage.errors import Forbidden
from tests.alerts.delivery import receivers
from tests.alerts.delivery.receivers import Receiver
from tests.alerts.delivery.test_mail import Mailbox
from tests.alerts.delivery.test_mail_limit import limited
from tests.schema.alerts.asking import (
    CREATE,
    ERRORS,
    UPDATE,
    changed,
    created,
    maintainer,
    new_project,
    reader,
)
from tests.schema.platform import ADMIN, NOW, Platform

SECRET = "a-very-secret-text-of-a-webhook"
CHANNEL = """notificationChannel { id name kind enabled sendsPerHour createdBy changedBy secrets
  settings { name value } project { slug } }"""
CREATE_CHANNEL = f"""mutation($input: CreateNotificationChannelInput!) {{
  createNotificationChannel(input: $input) {{ {CHANNEL} {ERRORS} }} }}"""
UPDATE_CHANNEL = f"""mutation($input: UpdateNotificationChannelInput!) {{
  updateNotificationChannel(input: $input) {{ {CHANNEL} {ERRORS} }} }}"""
DELETE_CHANNEL = f"""mutation($input: DeleteNotificationChannelInput!) {{
  deleteNotificationChannel(input: $input) {{ deleted {ERRORS} }} }}"""
TEST_CHANNEL = f"""mutation($input: TestNotificationChannelInput!) {{
  testNotificationChannel(input: $input) {{ tests {{ channel isDelivered detail }} {ERRORS} }} }}"""
TEST_ALERT = f"""mutation($input: TestAlertInput!) {{
  testAlert(input: $input) {{ tests {{ channel isDelivered detail }} {ERRORS} }} }}"""
RESEND = f"""mutation($input: ResendNotificationInput!) {{
  resendNotification(input: $input) {{ send {{ sendId status }} {ERRORS} }} }}"""
LIST = "{ notificationChannels { totalCount nodes { id name kind } } }"
SENDS = """query($id: ID!, $statuses: [NotificationStatus!]) { node(id: $id) {
  ... on NotificationChannel { name sends(statuses: $statuses) { totalCount nodes {
    sendId status reason title attemptCount attempts { number outcome detail durationMs } } } } }
}"""
WEBHOOK = {"webhook": {"url": "https://hooks.example.com/alerts", "secret": SECRET}}


async def channel(platform: Platform, project: str | None, **given: Any) -> dict[str, Any]:
    """A new channel, a webhook by default."""
    viewer = ADMIN if project is None else maintainer(project)
    given = {"project": project, "name": f"c-{uuid4().hex[:8]}", "channel": WEBHOOK} | given
    payload = await changed(platform, CREATE_CHANNEL, viewer, **given)
    assert payload["userErrors"] == []
    return dict(payload["notificationChannel"])


@pytest.fixture
async def receiver(platform: Platform) -> AsyncIterator[Receiver]:
    """A real server, which the platform may reach."""
    async with receivers.receiver() as receiver:
        usual = platform.services
        platform.services = replace(usual, outside=receiver.outside())
        yield receiver
        platform.services = usual


KINDS: list[tuple[dict[str, Any], list[str], list[dict[str, str]]]] = [
    (WEBHOOK, ["secret"], [{"name": "url", "value": "https://hooks.example.com/alerts"}]),
    (
        {"email": {"to": ["ops@example.com", "b@example.com"], "owners": True}},
        [],
        [
            {"name": "owners", "value": "true"},
            {"name": "to", "value": "ops@example.com, b@example.com"},
        ],
    ),
    ({"slack": {"secretUrl": f"https://hooks.slack.com/services/T0/B0/{SECRET}"}}, ["url"], []),
    ({"pagerduty": {"routingKey": "0" * 32}}, ["routing_key"], []),
    ({"inApp": True}, [], []),
]


@pytest.mark.parametrize(
    ("given", "secrets", "settings"), KINDS, ids=[next(iter(each[0])) for each in KINDS]
)
async def test_a_channel_of_each_kind_shows_its_settings_but_no_secret(
    platform: Platform,
    project: str,
    given: dict[str, Any],
    secrets: list[str],
    settings: list[dict[str, str]],
) -> None:
    made = await channel(platform, project, channel=given)
    assert (made["secrets"], made["settings"]) == (secrets, settings)
    assert (made["enabled"], made["sendsPerHour"]) == (True, 60)
    listed = (await platform.ask(LIST, maintainer(project)))["notificationChannels"]
    assert [each["id"] for each in listed["nodes"]] == [made["id"]]
    async with platform.services.database.connection() as connection:
        log = await connection.fetchval("select string_agg(audit_log::text, ' ') from audit_log")
    assert "createNotificationChannel" in log
    assert SECRET not in log
    assert "0" * 32 not in log
    assert "ops@example.com" not in log


async def test_a_channel_is_changed_and_keeps_the_secret_that_is_not_given(
    platform: Platform, project: str
) -> None:
    made, keeper = await channel(platform, project), maintainer(project)
    url = "https://hooks.example.com/other"
    changes = {"id": made["id"], "channel": {"webhook": {"url": url}}, "sendsPerHour": 5}
    done = (await changed(platform, UPDATE_CHANNEL, ADMIN, **changes))["notificationChannel"]
    assert done == made | {
        "settings": [{"name": "url", "value": url}],
        "sendsPerHour": 5,
        "changedBy": "admin",
    }
    other = await changed(platform, UPDATE_CHANNEL, keeper, id=made["id"], channel={"inApp": True})
    assert other["userErrors"][0]["field"] == ["input", "channel"]


async def test_a_copy_of_the_database_holds_no_secret(platform: Platform, project: str) -> None:
    made = await channel(platform, project)
    given = {"webhook": {"secret": f"{SECRET}-2"}}
    await changed(platform, UPDATE_CHANNEL, maintainer(project), id=made["id"], channel=given)
    await channel(
        platform, None, channel={"slack": {"secretUrl": f"https://hooks.slack.com/{SECRET}"}}
    )
    for table in ("alert_channels", "audit_log", "changes"):
        assert SECRET not in await _dump(platform, table)
    assert PREFIX in await _dump(platform, "alert_channels")


async def _dump(platform: Platform, table: str) -> str:
    async with platform.services.database.connection() as connection:
        select = f"select string_agg(each::text, ' ') from {table} as each"
        return str(await connection.fetchval(select))


async def test_secrets_stored_before_are_sealed(platform: Platform, project: str) -> None:
    made = await channel(platform, project)
    database, seals = platform.services.database, platform.services.seals
    async with database.transaction() as connection:
        key = UUID(decode(made["id"]).key)
        update = "update alert_channels set secrets = $2 where channel_id = $1"
        await connection.execute(update, key, {"secret": SECRET})
    assert SECRET in await _dump(platform, "alert_channels")
    assert await reseal(database, seals) == 1
    assert SECRET not in await _dump(platform, "alert_channels")
    assert await reseal(database, seals) == 0


async def test_a_channel_with_a_lost_key_says_so_until_its_secret_is_given_again(
    platform: Platform, project: str
) -> None:
    made, usual, keeper = await channel(platform, project), platform.services, maintainer(project)
    platform.services = replace(usual, seals=Seals(["another secret"]))
    try:
        tested = await changed(platform, TEST_CHANNEL, keeper, id=made["id"])
        assert "cannot be read, since JWT_SECRET has changed" in tested["tests"][0]["detail"]
        change = {"id": made["id"], "channel": {"webhook": {"url": "https://hooks.example.com/2"}}}
        (error,) = (await changed(platform, UPDATE_CHANNEL, keeper, **change))["userErrors"]
        assert error["field"] == ["input", "channel", "webhook", "secret"]
        off = await changed(platform, UPDATE_CHANNEL, keeper, id=made["id"], enabled=False)
        assert off["userErrors"] == []
        change["channel"]["webhook"]["secret"] = SECRET
        done = await changed(platform, UPDATE_CHANNEL, keeper, **change)
        assert done["userErrors"] == []
    finally:
        platform.services = usual


async def test_a_secret_is_given_again_for_another_server(platform: Platform, project: str) -> None:
    """Or whoever may change a channel, but was never shown its secrets, has them sent to them."""
    pagerduty = {"pagerduty": {"routingKey": "0" * 32}}
    alertmanager = {"alertmanager": {"url": "https://am.example.com", "token": SECRET}}
    for given, field in (
        (WEBHOOK, "secret"),
        (pagerduty, "routingKey"),
        (alertmanager, "token"),
    ):
        made, (kind,) = await channel(platform, project, channel=given), given
        elsewhere = {kind: {"url": "https://mine.example.org/alerts"}}
        change = {"id": made["id"], "channel": elsewhere}
        (error,) = (await changed(platform, UPDATE_CHANNEL, ADMIN, **change))["userErrors"]
        assert error["field"] == ["input", "channel", kind, field]
        secret = {field: "1" * 32}
        change["channel"] = {kind: elsewhere[kind] | secret}
        done = await changed(platform, UPDATE_CHANNEL, ADMIN, **change)
        assert done["userErrors"] == []


async def test_receivers_of_this_network_are_for_channels_of_the_platform(
    platform: Platform, project: str, receiver: Receiver
) -> None:
    local = {"webhook": {"url": receiver.url, "secret": SECRET}}
    given = {"project": project, "name": "local", "channel": local}
    refused = await changed(platform, CREATE_CHANNEL, maintainer(project), **given)
    assert refused["userErrors"][0]["field"] == ["input", "channel", "webhook", "url"]
    made = await channel(platform, project)
    change = {"id": made["id"], "channel": local}
    refused = await changed(platform, UPDATE_CHANNEL, maintainer(project), **change)
    assert refused["userErrors"][0]["field"] == ["input", "channel", "webhook", "url"]
    async with platform.services.database.transaction() as connection:
        await connection.execute(
            "update alert_channels set settings = $2 where channel_id = $1",
            UUID(decode(made["id"]).key),
            {"url": receiver.url},
        )
    done = await changed(platform, TEST_CHANNEL, maintainer(project), id=made["id"])
    assert [each["isDelivered"] for each in done["tests"]] == [False]
    assert receiver.requests == []
    await channel(platform, None, channel=local)


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": ""}, ["name"]),
    ({"sendsPerHour": 0}, ["sendsPerHour"]),
    (
        {
            "channel": {"email": {"to": [f"n{number}@example.com" for number in range(50)]}},
            "sendsPerHour": 61,
        },
        ["sendsPerHour"],
    ),
    ({"channel": {"webhook": {"secret": SECRET}}}, ["channel", "webhook", "url"]),
    (
        {"channel": {"webhook": {"url": "http://10.0.0.1/x", "secret": SECRET}}},
        ["channel", "webhook", "url"],
    ),
    (
        {"channel": {"webhook": {"url": "https://hooks.example.com", "secret": "short"}}},
        ["channel", "webhook", "secret"],
    ),
    ({"channel": {"email": {"to": ["nobody"]}}}, ["channel", "email", "to"]),
    ({"channel": {"slack": {"secretUrl": "no address"}}}, ["channel", "slack", "secretUrl"]),
    (
        {"channel": {"pagerduty": {"routingKey": "short"}}},
        ["channel", "pagerduty", "routingKey"],
    ),
    ({"channel": {"apprise": {"secretUrl": "file:///etc/x"}}}, ["channel", "apprise", "secretUrl"]),
]


@pytest.mark.parametrize(
    ("given", "path"), WRONG, ids=[f"{n}-{'.'.join(path)}" for n, (_, path) in enumerate(WRONG)]
)
async def test_an_error_names_its_field(
    platform: Platform, project: str, given: dict[str, Any], path: list[str]
) -> None:
    given = {"project": project, "name": "ops", "channel": WEBHOOK} | given
    payload = await changed(platform, CREATE_CHANNEL, maintainer(project), **given)
    assert payload["notificationChannel"] is None
    assert payload["userErrors"][0]["field"] == ["input", *path]
    assert SECRET not in payload["userErrors"][0]["message"]


async def test_a_rule_names_channels_of_its_project_and_of_the_platform(
    platform: Platform, project: str
) -> None:
    own = await channel(platform, project)
    everybodys = await channel(platform, None)
    foreign = await channel(platform, await new_project(platform))
    made = await created(platform, project, channels=[own["name"], everybodys["name"]])
    keeper = maintainer(project)
    answers = []
    for name in (foreign["name"], "never-existed"):
        payload = await changed(platform, UPDATE, keeper, id=made["id"], channels=[name])
        answers.append(str(payload).replace(name, "it"))
    assert answers[0] == answers[1], "another project's is like none"
    for each, viewer in ((own, keeper), (everybodys, ADMIN)):
        (error,) = (await changed(platform, DELETE_CHANNEL, viewer, id=each["id"]))["userErrors"]
        assert (error["code"], made["name"] in error["message"]) == ("CONFLICT", True)
    await changed(platform, UPDATE, keeper, id=made["id"], channels=[])
    gone = await changed(platform, DELETE_CHANNEL, keeper, id=own["id"])
    assert gone == {"deleted": own["id"], "userErrors": []}


async def test_names_are_unique_in_a_project(platform: Platform, project: str) -> None:
    made = await channel(platform, project)
    given = {"project": project, "name": made["name"], "channel": WEBHOOK}
    (error,) = (await changed(platform, CREATE_CHANNEL, maintainer(project), **given))["userErrors"]
    assert (error["field"], error["code"]) == (["input", "name"], "TAKEN")


async def test_settings_and_sends_are_for_those_who_manage(
    platform: Platform, project: str
) -> None:
    made = await channel(platform, project)
    node = "query($id: ID!) { node(id: $id) { ... on NotificationChannel { name } } }"
    assert (await platform.ask(node, reader(project), id=made["id"]))["node"]
    for part in ("settings { value }", "secrets", "sends { totalCount }"):
        refused = await platform.refused(node.replace("name", part), reader(project), id=made["id"])
        assert isinstance(refused, Forbidden)


async def test_a_channel_is_tested_with_a_real_message(
    platform: Platform, project: str, receiver: Receiver
) -> None:
    webhook = {"webhook": {"url": receiver.url, "secret": SECRET}}
    made, keeper = await channel(platform, None, channel=webhook), maintainer(project)
    done = await changed(platform, TEST_CHANNEL, ADMIN, id=made["id"])
    assert [(each["channel"], each["isDelivered"]) for each in done["tests"]] == [
        (made["name"], True)
    ]
    assert "x-gateway-signature" in receiver.requests[0].headers
    rule = await created(platform, project, channels=[made["name"]])
    done = await changed(platform, TEST_ALERT, keeper, id=rule["id"])
    taken = {"channel": made["name"], "isDelivered": True, "detail": "It was taken."}
    assert done["tests"] == [taken], "the receiver's answer is the platform's"
    assert len(receiver.requests) == 2
    (error,) = (await changed(platform, TEST_ALERT, keeper, id=rule["id"]))["userErrors"]
    assert error["code"] == "CONFLICT", "a channel of the platform is tested once in a minute"
    tests = (await changed(platform, TEST_ALERT, ADMIN, id=rule["id"]))["tests"]
    assert tests[0]["detail"] != taken["detail"]
    receiver.requests.pop()
    stranger = maintainer(await new_project(platform))
    for document, id in ((TEST_CHANNEL, made["id"]), (TEST_ALERT, rule["id"])):
        (error,) = (await changed(platform, document, stranger, id=id))["userErrors"]
        assert error["code"] == "NOT_FOUND"
    assert len(receiver.requests) == 2


async def test_tests_by_mail_count_with_the_mails_of_the_project(
    platform: Platform, project: str, tmp_path: Path
) -> None:
    """Or who may test channels could write to whom they like, under the platform's sender."""
    box, usual, keeper = Mailbox(), platform.services, maintainer(project)
    mail = {"email": {"to": [f"{number}@example.com" for number in range(4)]}}
    first, second, third = [await channel(platform, project, channel=mail) for _ in range(3)]
    shared = await channel(platform, None)
    rule = await created(platform, project, channels=[shared["name"], third["name"]])
    asked = (
        (TEST_CHANNEL, first, 1, ""),
        (TEST_CHANNEL, first, 1, "within this minute"),
        (TEST_CHANNEL, second, 2, ""),
        (TEST_CHANNEL, third, 2, "addresses of this hour"),
        (TEST_ALERT, rule, 2, "addresses of this hour"),
    )
    async with limited(tmp_path, box, 10) as outside:
        platform.services = replace(usual, outside=outside)
        for document, node, mails, refused in asked:
            before = len(box.envelopes)
            payload = await changed(platform, document, keeper, id=node["id"])
            assert len(box.envelopes) == mails
            if mails == before:
                (error,) = payload["userErrors"]
                assert (error["code"], refused in error["message"]) == ("CONFLICT", True)
        platform.services = usual
    async with platform.services.database.connection() as connection:
        noted = "select count(*) from alert_sends where channel_id = $1"
        key = UUID(decode(shared["id"]).key)
        assert await connection.fetchval(noted, key) == 0, "what is not tested is not noted"


async def test_a_test_that_the_mail_server_refuses_is_not_logged_as_sent(
    platform: Platform, project: str, tmp_path: Path
) -> None:
    box, usual, keeper = Mailbox(), platform.services, maintainer(project)
    mail = {"email": {"to": ["ops@example.com"]}}
    logged = {}
    async with limited(tmp_path, box, 10) as outside:
        platform.services = replace(usual, outside=outside)
        for answer in ("250 kept", "554 no thanks"):
            box.answer, made = answer, await channel(platform, project, channel=mail)
            payload = await changed(platform, TEST_CHANNEL, keeper, id=made["id"])
            (test,) = payload["tests"]
            shown = (await platform.ask(SENDS, keeper, id=made["id"]))["node"]
            (logged[answer],) = shown["sends"]["nodes"]
            assert test["isDelivered"] == (answer == "250 kept")
        platform.services = usual
    sent, dead = logged.values()
    assert (sent["status"], sent["reason"]) == ("SENT", None)
    assert (dead["status"], dead["reason"]) == ("REFUSED", test["detail"])
    assert "554" in dead["reason"]
    (error,) = (await changed(platform, RESEND, keeper, send=dead["sendId"]))["userErrors"]
    assert error["code"] == "CONFLICT", "a test is made anew"


async def test_the_log_of_sends_is_shown_and_a_dead_one_sent_again(
    platform: Platform, project: str
) -> None:
    made, keeper = await channel(platform, project), maintainer(project)
    identifier = decode(made["id"])
    ids = {status: uuid4() for status in (SendStatus.DEAD, SendStatus.SENT)}
    rows = [
        NewSend(
            *(id, identifier.number, UUID(identifier.key), "group", [], {"title": "It burns"}),
            *(status, "refused" if status is SendStatus.DEAD else None, NOW, None),
        )
        for status, id in ids.items()
    ]
    async with platform.services.database.transaction() as connection:
        await sends.add(connection, rows)
        await connection.execute(
            "insert into alert_attempts values ($1, 1, $2, 'refused', '400 Bad Request', 12)",
            ids[SendStatus.DEAD],
            NOW,
        )
    shown = (await platform.ask(SENDS, keeper, id=made["id"], statuses=["DEAD"]))["node"]
    dead = str(ids[SendStatus.DEAD])
    assert shown["sends"] == {
        "totalCount": 1,
        "nodes": [
            {
                "sendId": dead,
                "status": "DEAD",
                "reason": "refused",
                "title": "It burns",
                "attemptCount": 0,
                "attempts": [
                    {
                        "number": 1,
                        "outcome": "REFUSED",
                        "detail": "400 Bad Request",
                        "durationMs": 12,
                    }
                ],
            }
        ],
    }
    answers = []
    for id in (dead, str(uuid4())):
        stranger = maintainer(await new_project(platform))
        payload = await changed(platform, RESEND, stranger, send=id)
        answers.append(str(payload).replace(id, "it"))
    assert answers[0] == answers[1]
    again = await changed(platform, RESEND, keeper, send=dead)
    assert again["send"] == {"sendId": dead, "status": "WAITING"}
    (error,) = (await changed(platform, RESEND, keeper, send=dead))["userErrors"]
    assert error["code"] == "CONFLICT"


async def test_a_new_rule_may_name_no_channel_that_is_unknown(
    platform: Platform, project: str
) -> None:
    given = {"project": project, "name": "a", "channels": ["nobody"]}
    trigger = {"event": {"kind": "DEPLOYMENT_FAILED"}}
    payload = await changed(platform, CREATE, maintainer(project), trigger=trigger, **given)
    assert payload["userErrors"][0]["field"] == ["input", "channels"]


async def test_what_a_receiver_of_the_platform_answers_is_for_admins(
    platform: Platform, project: str, receiver: Receiver
) -> None:
    webhook = {"webhook": {"url": receiver.url, "secret": SECRET}}
    shared = await channel(platform, None, channel=webhook)
    rule = await created(platform, project, channels=[shared["name"]])
    for viewer, is_told in ((maintainer(project), False), (ADMIN, True)):
        (test,) = (await changed(platform, TEST_ALERT, viewer, id=rule["id"]))["tests"]
        assert test["isDelivered"]
        assert (test["detail"] == "It was taken.") is not is_told
