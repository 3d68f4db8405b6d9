"""Projects share workers and channels: none takes the room of another, or learns of it."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from access.outgoing import Outgoing
from alerts.delivery import KINDS
from alerts.delivery.channel import DeliveryError, Outside, delivered
from alerts.rules import Severity
from alerts.silences import Matcher
from alerts.states import Transition
from storage.alerts import sends
from tests.alerts.delivery.letters import letter
from tests.alerts.delivery.receivers import OK, answer, receiver
from tests.alerts.delivery.stage import SECRET, Stage, rule
from tests.alerts.delivery.test_stages import HOUR, held, titles

BUSY = answer("503 Busy")
GONE = answer("410 Gone")


async def test_a_project_with_many_slow_channels_leaves_room(told: Stage) -> None:
    async with receiver(hangs=True) as slow:
        many, other = await told.project("many"), await told.project("other")
        for number in range(6):
            name = f"slow {number}"
            await told.webhook(slow.url, name)
            for _ in range(5):
                rule_id = await told.rule(rule(f"{name} {_}", channels=(name,)), many)
                await told.happen(rule_id, project_id=many)
        await told.webhook(slow.url, "mine")
        rule_id = await told.rule(rule("Mine", channels=("mine",)), other)
        await told.happen(rule_id, project_id=other)
        sending = told.sending(slow.outside())
        await sending.step()
        for _ in range(3):
            running = Counter(each.project_id for each in sending._running.values())
            assert running == {many: 8, other: 1}
            await sending.step()
        tasks = list(sending._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_full_project_leaves_the_platforms_channel_to_others(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url, sends_per_hour=3)
        noisy, quiet = await told.project("noisy"), await told.project("quiet")
        for number in range(10):
            rule_id = await told.rule(rule(f"Noise {number}"), noisy)
            await told.happen(rule_id, project_id=noisy)
        for project_id in (quiet, None):
            await told.happen(await told.rule(rule("Quiet"), project_id), project_id=project_id)
        await told.settle(told.sending(server.outside()))
        found = Counter(one.document["alerts"][0]["project"] for one in server.requests)
        assert found == {"noisy": 3, "quiet": 1, None: 1}


async def test_what_is_held_by_a_cap_is_counted_once(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url, sends_per_hour=2)
        sending = told.sending(server.outside())
        for number in range(5):
            await told.happen(await told.rule(rule(f"Rule {number}")))
        await told.pass_time(sending, timedelta(minutes=59), steps=30)
        assert len(server.requests) == 2
        assert len(await held(told)) == 3
        await told.execute("update alert_instances set phase = 0")
        await told.pass_time(sending, timedelta(minutes=4))
        assert titles(server)[2:] == ["3 more alerts were held back"]


@pytest.mark.parametrize("kind", ["pagerduty", "alertmanager"])
async def test_receivers_with_incidents_get_no_summary(told: Stage, kind: str) -> None:
    async with receiver() as server:
        secrets = {"routing_key": "a" * 32} if kind == "pagerduty" else {}
        await told.channel("hook", kind, {"url": server.url}, secrets, sends_per_hour=1)
        for number in range(3):
            await told.happen(await told.rule(rule(f"Rule {number}")))
        sending = told.sending(server.outside())
        await told.settle(sending)
        await told.execute("update alert_instances set phase = 0")
        await told.pass_time(sending, timedelta(hours=2))
        assert len(server.requests) == 1


async def test_a_channel_that_a_rule_no_longer_names_still_hears_of_the_end(told: Stage) -> None:
    async with receiver() as server:
        duty = {"url": server.url}
        await told.channel("hook", "pagerduty", duty, {"routing_key": "a" * 32})
        rule_id = await told.rule(rule())
        episode = await told.happen(rule_id)
        sending = told.sending(server.outside())
        await told.settle(sending)
        await told.execute("""update alert_rules set document = document || '{"channels": []}'""")
        await told.happen(rule_id, Transition.RESOLVED, episode=episode)
        await told.settle(sending)
        actions = [request.document["event_action"] for request in server.requests]
        assert actions == ["trigger", "resolve"]


async def test_alertmanager_hears_of_the_end_last(told: Stage) -> None:
    """However long it is away: a start after the end would fire for a day."""
    async with receiver(BUSY, BUSY, BUSY, BUSY, BUSY, OK) as server:
        await told.channel("hook", "alertmanager", {"url": server.url})
        rule_id = await told.rule(rule())
        episode = await told.happen(rule_id)
        sending = told.sending(server.outside())
        await told.pass_time(sending, timedelta(seconds=20), steps=4)
        await told.happen(rule_id, Transition.RESOLVED, episode=episode)
        await told.pass_time(sending, timedelta(minutes=30), steps=30)
        ends = [request.document[0]["endsAt"] for request in server.requests]
        assert len(ends) == 7
        assert ends[-1] < min(ends[:-1])


async def test_no_incident_is_opened_again_by_hand_after_its_end(told: Stage) -> None:
    async with receiver(GONE, OK) as server:
        secrets = {"routing_key": "a" * 32}
        await told.channel("hook", "pagerduty", {"url": server.url}, secrets)
        rule_id = await told.rule(rule())
        episode = await told.happen(rule_id)
        sending = told.sending(server.outside())
        await told.settle(sending)
        told.now += timedelta(seconds=1)
        await told.happen(rule_id, Transition.RESOLVED, episode=episode)
        await told.settle(sending)
        first, last = await told.sends()
        assert (first["status"], last["status"]) == ("dead", "sent")
        async with told.database.transaction() as connection:
            assert not await sends.resend(connection, first["send_id"], told.now)


async def test_projects_do_not_read_what_the_platform_silences(told: Stage) -> None:
    async with receiver() as ours:
        await told.webhook(ours.url, "ours")
        project_id = await told.project("shop")
        theirs = await told.webhook("https://a.example", "theirs", project_id=project_id)
        await told.rule(rule("Platform", channels=("ours",)))
        rule_id = await told.rule(rule("Mine", channels=("theirs",)), project_id)
        await told.silence(Matcher("severity", "warning"), 3 * HOUR)
        await told.silence(Matcher("project", "secret"), 3 * HOUR)
        await told.happen(rule_id, project_id=project_id)
        sending = told.sending(ours.outside())
        await told.settle(sending)
        assert await held(told) == ["Silenced by the platform until 2026-03-01 15:00 UTC"]
        await told.pass_time(sending, timedelta(hours=2.5), steps=5)
        assert len(ours.requests) == 2
    found = [each for each in await told.sends() if each["channel_id"] == theirs]
    first, ending = found  # of the other silence no alert of this project can be
    assert (first["status"], ending["project_id"]) == ("held", project_id)
    for word in ("secret", "maintenance"):
        assert word not in str(ending["message"])


async def test_an_alert_that_nobody_hears_of_holds_nothing_back(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        project_id = await told.project("shop")
        labels = {"network": "metis"}
        mute = rule("Mute", severity=Severity.CRITICAL, channels=())
        await told.happen(await told.rule(mute), labels=labels)
        silenced = await told.rule(rule("Silenced", severity=Severity.CRITICAL))
        await told.happen(silenced, labels=labels)
        await told.silence(Matcher("rule", "Silenced"), HOUR)
        mine = await told.rule(rule("Mine"), project_id)
        await told.happen(mine, labels=labels, project_id=project_id)
        await told.settle(told.sending(server.outside()))
        assert titles(server) == ["Firing: Mine (shop)"]


@pytest.mark.parametrize(
    "header",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Wed, 21 Oct 2065 07:28:00 GMT",
        "Wed, 21 Oct 2015 07:28:00 -0000",
        "soon",
        "9" * 400,
        "-5",
    ],
)
async def test_any_retry_after_is_read(told: Stage, header: str) -> None:
    async with receiver(answer("503 Busy", f"retry-after: {header}"), OK) as server:
        await told.webhook(server.url)
        await told.happen(await told.rule(rule()))
        sending = told.sending(server.outside())
        await told.settle(sending)
        (attempt,) = await told.attempts()
        assert attempt["outcome"] == "failed"
        await told.pass_time(sending, timedelta(hours=1), steps=2)
        assert len(server.requests) == 2


@pytest.mark.parametrize("host", ["a..example.com", "a" * 64 + ".example.com", "\ud800.example"])
async def test_a_host_that_is_no_name_is_no_fault(host: str) -> None:
    hook = KINDS["webhook"].model_construct(url=f"https://{host}/", secret=SECRET)
    with pytest.raises(DeliveryError):
        await delivered(hook, letter(), Outside(Outgoing(timeout_seconds=2)))
