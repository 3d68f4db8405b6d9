"""What receivers get, at real servers on this machine, by the formats that they publish."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from apprise.plugins.discord import NotifyDiscord

from alerts.channel_test import send_test
from alerts.delivery import KINDS
from alerts.delivery.channel import DeliveryError, Outside
from alerts.states import Transition
from tests.alerts.delivery.letters import EPISODE, item, letter
from tests.alerts.delivery.receivers import answer, receiver
from tests.alerts.delivery.stage import NOW, SECRET

KEY = "R" * 32


def channel(kind: str, settings: Mapping[str, Any], **secrets: str) -> Any:
    return KINDS[kind].of(settings, secrets)


async def test_slack_gets_blocks_in_which_others_write_no_mark_up() -> None:
    hostile = item(instance="<!channel> & *bold*", text="<https://evil.example|click>\n" * 400)
    async with receiver() as server:
        slack = channel("slack", {}, url=server.url)
        assert await slack.send(letter(hostile), server.outside()) == "200 ok"
        assert await slack.send(letter(item(Transition.RESOLVED)), server.outside())
    first, last = (request.document for request in server.requests)
    (attachment,) = first["attachments"]
    header, section, actions = attachment["blocks"]
    # Block Kit: a header is plain text of up to 150 characters, a section up to 3,000.
    assert (header["type"], header["text"]["type"]) == ("header", "plain_text")
    assert len(header["text"]["text"]) <= 150
    assert (section["type"], section["text"]["type"]) == ("section", "mrkdwn")
    assert len(section["text"]["text"]) == 3_000
    assert "<" not in section["text"]["text"] + first["text"]
    (button,) = actions["elements"]
    assert (actions["type"], button["type"]) == ("actions", "button")
    assert button["url"].startswith("https://gw.example.com/alerts/")
    assert first["attachments"][0]["color"] != last["attachments"][0]["color"]
    assert last["text"].startswith("Resolved: Failure rate")


async def test_pagerduty_gets_events_of_one_incident() -> None:
    transitions = (Transition.FIRING, Transition.ACKNOWLEDGED, Transition.RESOLVED)
    accepted = answer("202 Accepted", body='{"status":"success"}')
    async with receiver(accepted) as server:
        duty = channel("pagerduty", {"url": server.url}, routing_key=KEY)
        for transition in transitions:
            await duty.send(letter(item(transition)), server.outside())
    trigger, acknowledge, resolve = (request.document for request in server.requests)
    # Events API v2: these fields, and of the payload these three are required.
    assert trigger["event_action"] == "trigger"
    assert trigger["routing_key"] == KEY
    assert trigger["dedup_key"] == str(EPISODE)
    payload = trigger["payload"]
    assert 0 < len(payload["summary"]) <= 1_024
    assert payload["source"] == "shop"
    assert payload["severity"] in {"critical", "error", "warning", "info"}
    assert datetime.fromisoformat(payload["timestamp"]) == NOW
    assert payload["custom_details"]["value"] == 0.125
    assert trigger["links"] == [{"href": trigger["client_url"], "text": "Open"}]
    for event, action in ((acknowledge, "acknowledge"), (resolve, "resolve")):
        expected = {"routing_key": KEY, "dedup_key": str(EPISODE), "event_action": action}
        assert event == expected


async def test_alertmanager_gets_alerts_that_end() -> None:
    labels = {"network": "metis", "team-name": "platform", "1st": "x"}
    async with receiver() as server:
        manager = channel("alertmanager", {"url": f"{server.url}/am/"}, token="a-token")
        firing = item(labels=labels), item(instance="network=other")
        await manager.send(letter(*firing), server.outside())
        await manager.send(letter(item(Transition.RESOLVED, labels=labels)), server.outside())
    begun, ended = server.requests
    assert begun.path == "/hook/am/api/v2/alerts"
    assert begun.headers["authorization"] == "Bearer a-token"
    first, second = begun.document
    (over,) = ended.document
    assert first["labels"] == over["labels"] != second["labels"]
    assert first["labels"]["alertname"] == "Failure rate"
    assert first["labels"]["team_name"] == "platform"
    name = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
    assert all(name.fullmatch(label) and value for label, value in first["labels"].items())
    assert datetime.fromisoformat(first["startsAt"]) == NOW
    assert datetime.fromisoformat(first["endsAt"]) > NOW + timedelta(hours=4)
    assert datetime.fromisoformat(over["endsAt"]) == NOW
    assert first["generatorURL"].startswith("https://gw.example.com/alerts/")
    assert set(first["annotations"]) == {"summary", "description"}


async def test_apprise_services_get_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(answer("204 No Content")) as server:
        monkeypatch.setattr(NotifyDiscord, "notify_url", server.url)
        service = channel("apprise", {}, service="discord://1234567890/abcdefghijklmnop")
        fires = item(title="New error: @everyone", text="12.5 %, above 10 %, of @here")
        assert await service.send(letter(fires), server.outside()) == "The service took it"
        (request,) = server.requests
    assert request.path == "/hook/1234567890/abcdefghijklmnop"
    said = str(request.document)
    assert "12.5 %, above 10 %" in said
    assert "everyone" in said
    assert "@everyone" not in said, "nobody is mentioned by the title of an error"
    assert "@here" not in said


async def test_an_apprise_service_follows_no_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as other:
        away = answer("302 Found", f"location: {other.url}")
        async with receiver(away) as server:
            monkeypatch.setattr(NotifyDiscord, "notify_url", server.url)
            service = channel("apprise", {}, service="discord://1234567890/abcdefghijklmnop")
            with pytest.raises(DeliveryError, match="did not take it"):
                await service.send(letter(), server.outside())
        assert other.requests == []


@pytest.mark.parametrize("kind", ["webhook", "slack", "pagerduty", "alertmanager"])
async def test_no_kind_sends_to_a_private_address_or_follows_a_redirect(kind: str) -> None:
    async with receiver() as other:
        away = answer("307 Temporary Redirect", f"location: {other.url}")
        async with receiver(away) as server:
            given: dict[str, tuple[dict[str, str], dict[str, str]]] = {
                "webhook": ({"url": server.url}, {"secret": SECRET}),
                "slack": ({}, {"url": server.url}),
                "pagerduty": ({"url": server.url}, {"routing_key": KEY}),
                "alertmanager": ({"url": server.url}, {}),
            }
            settings, secrets = given[kind]
            one = channel(kind, settings, **secrets)
            with pytest.raises(DeliveryError, match="redirects are not followed") as moved:
                await one.send(letter(), server.outside())
            assert moved.value.is_final
            server.requests.clear()
            with pytest.raises(DeliveryError, match="Refused: only https") as refused:
                await one.send(letter(), Outside())
            assert refused.value.is_final
            secret = one.model_copy(update={"url": "https://localhost/"})
            with pytest.raises(DeliveryError, match="not at a public address"):
                await secret.send(letter(), Outside())
            assert server.requests == other.requests == []


async def test_an_answer_shows_no_secret() -> None:
    echo = answer("400 Bad Request", body=f"wrong key {KEY}\r\nin {'x' * 3_000}")
    async with receiver(echo) as server:
        duty = channel("pagerduty", {"url": server.url}, routing_key=KEY)
        with pytest.raises(DeliveryError) as refused:
            await duty.send(letter(), server.outside())
    assert refused.value.detail.startswith("400 wrong key *** in xxx")
    assert len(refused.value.detail) < 320


async def test_a_test_of_a_channel_says_what_the_receiver_answered() -> None:
    async with receiver(answer("200 OK", body="thanks"), answer("500 Oops")) as server:
        hook = channel("webhook", {"url": server.url}, secret=SECRET)
        fields: dict[str, Any] = {"name": "hook", "project": "shop", "now": NOW}
        good = await send_test(hook, server.outside(), **fields)
        bad = await send_test(hook, server.outside(), **fields)
    assert (good.is_delivered, good.detail) == (True, "200 thanks")
    assert (bad.is_delivered, bad.detail) == (False, "500")
    assert server.requests[0].document["title"] == "Test of the channel hook"
    assert server.requests[0].document["status"] == "told"


async def test_a_test_leaves_no_incident_behind() -> None:
    async with receiver(answer("202 Accepted")) as server:
        duty = channel("pagerduty", {"url": server.url}, routing_key=KEY)
        await send_test(duty, server.outside(), name="duty", project=None, now=NOW)
    actions = [request.document["event_action"] for request in server.requests]
    assert actions == ["trigger", "resolve"]
    assert len({request.document["dedup_key"] for request in server.requests}) == 1


async def test_a_test_ends_within_seconds() -> None:
    async with receiver(hangs=True) as server:
        hook = channel("webhook", {"url": server.url}, secret=SECRET)
        outside = server.outside()
        object.__setattr__(outside.outgoing, "timeout_seconds", 0.2)
        found = await send_test(hook, outside, name="hook", project=None, now=NOW)
    assert (found.is_delivered, found.detail) == (False, "No answer within 0.2 s")
