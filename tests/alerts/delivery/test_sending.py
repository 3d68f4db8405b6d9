"""From the outbox to a webhook: at least once, under one key, and never twice at a time."""

import asyncio
import hashlib
import hmac
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from access.sealing import Seals
from alerts.delivery.channel import DeliveryError
from alerts.evidence import Evidence
from alerts.messages import page_of
from alerts.sending import next_try
from alerts.states import Outcome, Transition
from resolvers.identifiers import encode_entity
from storage.alerts import sends
from storage.alerts.changes import PLATFORM
from tests.alerts.delivery.receivers import OK, answer, eventually, receiver
from tests.alerts.delivery.stage import NOW, SECRET, SETTINGS_SECRET, Stage, rule

BUSY = answer("503 Service Unavailable", body="busy")


async def test_a_transition_becomes_a_signed_webhook(told: Stage) -> None:
    async with receiver() as server:
        project_id = await told.project("shop")
        await told.webhook(server.url)
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
    page = encode_entity("Alert", project_id, rule_id)
    assert alert["link"] == f"https://gw.example.com/alerts/{page}"
    assert page_of("", None, rule_id) == f"/alerts/{encode_entity('Alert', PLATFORM, rule_id)}"


async def test_of_a_rule_that_cannot_be_read_its_channels_are_told(told: Stage) -> None:
    async with receiver(OK, OK, OK) as server:
        await told.webhook(server.url)
        rule_id = await told.rule(rule())
        episode = await told.happen(rule_id)
        sending = told.sending(server.outside())
        await told.settle(sending)
        documents: list[Any] = [{"channels": ["hook"], "trigger": 7}, []]
        for document in documents:
            await told.execute("update alert_rules set document = $1", document)
            happened = Transition.FAILING if document else Transition.GONE
            found = Evidence(told.now, Outcome.ERROR, reason="It is no rule.")
            await told.happen(rule_id, happened, episode=episode, found=found)
            await told.pass_time(sending, timedelta(seconds=5))
        bodies = [request.document for request in server.requests]
    assert [body["status"] for body in bodies] == ["firing", "told", "resolved"]
    assert bodies[1]["title"] == "Cannot be evaluated: Failure rate"
    assert "It is no rule." in bodies[1]["text"]


async def test_a_failed_send_is_tried_again_later_under_the_same_key(told: Stage) -> None:
    async with receiver(BUSY, BUSY, OK) as server:
        await told.webhook(server.url)
        await told.happen(await told.rule(rule()))
        sending = told.sending(server.outside())
        await told.settle(sending)
        assert len(server.requests) == 1
        await told.pass_time(sending, timedelta(seconds=4))
        assert len(server.requests) == 1, "not before the pause has passed"
        await told.pass_time(sending, timedelta(seconds=40), steps=8)
        assert len(server.requests) == 3
        assert len(set(server.keys)) == 1
        assert len({request.body for request in server.requests}) > 1, "only the time differs"
    outcomes = [(row["attempt"], row["outcome"]) for row in await told.attempts()]
    assert outcomes == [(1, "failed"), (2, "failed"), (3, "delivered")]
    (send,) = await told.sends()
    assert (send["status"], send["attempts"], send["due_at"]) == ("sent", 3, None)


async def test_a_receiver_says_when_to_come_again(told: Stage) -> None:
    slow_down = answer("429 Too Many Requests", "retry-after: 120")
    async with receiver(slow_down, OK) as server:
        await told.webhook(server.url)
        await told.happen(await told.rule(rule()))
        sending = told.sending(server.outside())
        await told.settle(sending)
        await told.pass_time(sending, timedelta(seconds=119), steps=3)
        assert len(server.requests) == 1
        await told.pass_time(sending, timedelta(seconds=1))
        assert len(server.requests) == 2


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "302 Found"])
async def test_what_will_not_be_taken_is_dead_at_once(told: Stage, status: str) -> None:
    refused = answer(status, "location: https://example.com", body=f"no {SECRET}")
    async with receiver(refused, OK) as server:
        await told.webhook(server.url)
        await told.happen(await told.rule(rule()))
        sending = told.sending(server.outside())
        await told.pass_time(sending, timedelta(hours=1), steps=4)
        assert len(server.requests) == 1
        (send,) = await told.sends()
        assert send["status"] == "dead"
        assert SECRET not in send["reason"]
        async with told.database.transaction() as connection:
            assert await sends.resend(connection, send["send_id"], told.now)
            assert not await sends.resend(connection, send["send_id"], told.now)
        await told.settle(sending)
        assert server.keys == [str(send["send_id"])] * 2
    assert [row["outcome"] for row in await told.attempts()] == ["refused", "delivered"]
    assert [row["status"] for row in await told.sends()] == ["sent"]


async def test_a_send_is_given_up_in_the_end(told: Stage) -> None:
    async with receiver(BUSY) as server:
        await told.webhook(server.url)
        await told.happen(await told.rule(rule()))
        sending = told.sending(server.outside())
        await told.pass_time(sending, timedelta(hours=3), steps=40)
    (send, *_reminders) = await told.sends()
    assert (send["status"], send["attempts"]) == ("dead", 20)
    assert send["reason"] == "503 busy"


def test_pauses_double_with_jitter_up_to_ten_minutes() -> None:
    error = DeliveryError("no")
    for attempt in range(1, 20):
        most = min(10 * 2 ** (attempt - 1), 600)
        pauses = {next_try(attempt, NOW, NOW, error) for _ in range(50)}
        seconds = [(at - NOW).total_seconds() for at in pauses if at is not None]
        assert len(seconds) == len(pauses) > 10
        assert most / 2 <= min(seconds) <= max(seconds) <= most
    assert next_try(20, NOW, NOW, error) is None
    assert next_try(2, NOW, NOW + timedelta(hours=24), error) is None
    wish = DeliveryError("no", retry_after_seconds=10_000_000)
    assert next_try(1, NOW, NOW, wish) == NOW + timedelta(hours=1)


async def test_two_workers_never_send_the_same_at_once(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url, sends_per_hour=1_000)
        rules = [await told.rule(rule(f"Rule {number}")) for number in range(30)]
        for rule_id in rules:
            await told.happen(rule_id)
        workers = [told.sending(server.outside()) for _ in range(2)]
        for _ in range(20):
            await asyncio.gather(*(worker.step() for worker in workers))
        await asyncio.gather(*(worker.settle() for worker in workers))
        await told.settle(workers[0])
        assert len(server.keys) == len(set(server.keys)) == 30
        assert server.open_at_most > 1, "they do send at the same time"
    assert {row["status"] for row in await told.sends()} == {"sent"}
    assert len(await told.attempts()) == 30


async def test_a_try_that_was_cut_off_is_repeated_under_the_same_key(told: Stage) -> None:
    """As by kill -9 in the middle of a request: nobody says how it ended."""
    async with receiver(hangs=True) as server:
        await told.webhook(server.url)
        await told.happen(await told.rule(rule()))
        killed = told.sending(server.outside())
        await killed.step()
        await eventually(lambda: bool(server.requests))
        for task in list(killed._running):
            task.cancel()
        server.hangs = False
        other = told.sending(server.outside())
        await told.pass_time(other, timedelta(seconds=44))
        assert len(server.requests) == 1
        await told.pass_time(other, timedelta(seconds=1))
        assert len(server.keys) == 2
        assert len(set(server.keys)) == 1
    assert [row["outcome"] for row in await told.attempts()] == ["interrupted", "delivered"]


async def test_a_slow_receiver_leaves_room_for_others(told: Stage) -> None:
    async with receiver(hangs=True) as slow, receiver() as quick:
        await told.webhook(slow.url, "slow", sends_per_hour=1_000)
        await told.webhook(quick.url, "quick")
        outside = slow.outside()
        local = outside.outgoing.destinations.local | quick.outside().outgoing.destinations.local
        object.__setattr__(outside.outgoing.destinations, "local", local)
        for number in range(20):
            await told.happen(await told.rule(rule(f"Slow {number}", channels=("slow",))))
        await told.happen(await told.rule(rule("Quick", channels=("quick",))))
        sending = told.sending(outside)
        for _ in range(5):
            await sending.step()
        await eventually(lambda: bool(quick.requests))
        assert slow.open_at_most <= 4


async def test_messages_of_an_episode_arrive_in_their_order(told: Stage) -> None:
    async with receiver(BUSY, answer("202 Accepted")) as server:
        url = server.url
        await told.channel("hook", "pagerduty", {"url": url}, {"routing_key": "a" * 32})
        rule_id = await told.rule(rule())
        episode = await told.happen(rule_id)
        sending = told.sending(server.outside())
        await told.settle(sending)
        told.now += timedelta(seconds=1)
        await told.happen(rule_id, Transition.RESOLVED, episode=episode)
        await told.settle(sending)
        assert len(server.requests) == 1, "the end waits for the beginning"
        await told.pass_time(sending, timedelta(seconds=30), steps=3)
        actions = [request.document["event_action"] for request in server.requests]
    assert actions == ["trigger", "trigger", "resolve"]


async def test_a_channel_that_is_gone_ends_its_sends(told: Stage) -> None:
    async with receiver(BUSY) as server:
        channel_id = await told.webhook(server.url)
        await told.happen(await told.rule(rule()))
        sending = told.sending(server.outside())
        await told.settle(sending)
        await told.execute("delete from alert_channels where channel_id = $1", channel_id)
        await told.pass_time(sending, timedelta(seconds=10))
    (send,) = await told.sends()
    assert (send["status"], send["reason"]) == ("dead", "The channel has been deleted")


async def test_a_secret_that_cannot_be_read_waits_for_its_key(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        await told.happen(await told.rule(rule()))
        await told.settle(told.sending(server.outside(), Seals(["another secret"])))
        (attempt,) = await told.attempts()
        assert attempt["outcome"] == "failed"
        assert attempt["detail"].startswith("The secrets of the channel cannot be read")
        assert server.requests == []
        key_is_back = told.sending(server.outside(), Seals(["a newer one", SETTINGS_SECRET]))
        await told.pass_time(key_is_back, timedelta(seconds=10))
        assert len(server.requests) == 1


async def test_the_same_event_never_gets_a_second_key(told: Stage) -> None:
    """An event that is queued again, as by a repeated transaction, is told once."""
    async with receiver() as server:
        await told.webhook(server.url)
        await told.happen(await told.rule(rule()))
        sending = told.sending(server.outside())
        await told.settle(sending)
        event_id: UUID = (await told.fetch("select event_id from alert_events"))[0]["event_id"]
        await told.execute("insert into alert_outbox values ($1, $2)", event_id, told.now)
        await told.execute("truncate alert_told")
        await told.settle(sending)
        assert len(server.keys) == 1


async def test_a_channel_of_a_project_reaches_no_receiver_of_this_network(told: Stage) -> None:
    async with receiver() as server:
        project_id = await told.project("shop")
        await told.webhook(server.url, project_id=project_id)
        await told.happen(await told.rule(rule(), project_id), project_id=project_id)
        await told.settle(told.sending(server.outside()))
        assert server.requests == []
        assert [row["status"] for row in await told.sends()] == ["dead"]
