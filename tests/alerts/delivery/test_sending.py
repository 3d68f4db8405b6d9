"""From the outbox to a webhook: at least once, under one key, and never twice at a time."""

import hashlib
import hmac
import re
from datetime import timedelta

from alerts.states import Transition
from tests.alerts.delivery.receivers import receiver
from tests.alerts.delivery.stage import NOW, SECRET, rule, stage


async def test_a_transition_becomes_a_signed_webhook(own_database_url: str) -> None:
    async with stage(own_database_url) as told, receiver() as server:
        project_id = await told.project("shop")
        await told.webhook(server.url, project_id=project_id)
        rule_id = await told.rule(rule(), project_id)
        episode = await told.happen(rule_id, project_id=project_id, labels={"network": "metis"})
        sending = told.sending(server.outside())
        assert await sending.step() == {"dispatched": 1, "sends": 1}
        await sending.settle()
        (request,) = server.requests
        (send,) = await told.sends()
        (attempt,) = await told.attempts()
    assert (send["status"], send["sent_at"], send["project_id"]) == ("sent", NOW, project_id)
    assert (attempt["outcome"], attempt["detail"]) == ("delivered", "200 ok")
    assert request.headers["idempotency-key"] == str(send["send_id"])
    signed = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", request.headers["x-gateway-signature"])
    assert signed is not None
    expected = hmac.new(SECRET.encode(), f"{signed[1]}.".encode() + request.body, hashlib.sha256)
    assert (int(signed[1]), signed[2]) == (int(NOW.timestamp()), expected.hexdigest())
    body = request.document
    assert body["id"] == str(send["send_id"])
    assert (body["status"], body["severity"]) == ("firing", "warning")
    assert body["title"] == "Firing: Failure rate (shop)"
    assert "deployments.failure_rate: 12.5 %, above 10 %" in body["text"]
    (alert,) = body["alerts"]
    assert (alert["id"], alert["value"], alert["bound"]) == (str(episode), 0.125, 0.1)
    assert (alert["project"], alert["labels"]) == ("shop", {"network": "metis"})
    assert alert["link"] == f"https://gw.example.com/alerts/{alert['eventId']}"


async def test_what_was_told_is_told_to_be_over(own_database_url: str) -> None:
    async with stage(own_database_url) as told, receiver() as server:
        await told.webhook(server.url)
        rule_id = await told.rule(rule())
        sending = told.sending(server.outside())
        episode = await told.happen(rule_id)
        await told.settle(sending)
        told.now += timedelta(minutes=5)
        await told.happen(rule_id, Transition.RESOLVED, episode=episode)
        await told.settle(sending)
        first, last = (request.document for request in server.requests)
    assert (first["status"], last["status"]) == ("firing", "resolved")
    assert last["alerts"][0]["id"] == first["alerts"][0]["id"]
    assert last["alerts"][0]["since"] == first["alerts"][0]["since"]
