"""What holds messages back: silences, causes, flapping, groups and caps; and what is told again."""

from collections import Counter
from datetime import time, timedelta
from typing import Any

import pytest

from alerts import outbox
from alerts.evidence import Evidence
from alerts.rules import Severity
from alerts.silences import Matcher, MatchKind, Schedule
from alerts.states import Outcome, Transition
from tests.alerts.delivery.receivers import Receiver, receiver
from tests.alerts.delivery.stage import NOW, Stage, rule, watch

HOUR = timedelta(hours=1)


def titles(server: Receiver) -> list[str]:
    return [request.document["title"] for request in server.requests]


async def held(told: Stage) -> list[str]:
    return [row["reason"] for row in await told.sends() if row["status"] == "held"]


async def test_a_silenced_alert_is_held_and_told_when_the_silence_ends(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        await told.silence(Matcher("rule", "Failure rate"), timedelta(minutes=30))
        await told.happen(await told.rule(rule()))
        sending = told.sending(server.outside())
        await told.pass_time(sending, timedelta(minutes=29), steps=3)
        assert server.requests == []
        assert await held(told) == ["Silenced until 2026-03-01 12:30 UTC: maintenance"]
        await told.pass_time(sending, timedelta(minutes=1))
        assert titles(server) == ["Still firing: Failure rate"]


async def test_alerts_are_looked_at_again_though_the_clock_went_back(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        sending = told.sending(server.outside())
        await told.settle(sending)
        told.now -= HOUR
        await told.silence(Matcher("rule", "Failure rate"), timedelta(minutes=20))
        await told.happen(await told.rule(rule()))
        await told.settle(sending)
        await told.pass_time(sending, timedelta(minutes=20))
        assert titles(server) == ["Still firing: Failure rate"]


async def test_what_a_silence_held_back_is_not_told_to_be_over(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        await told.silence(Matcher("network", "met.*", MatchKind.PATTERN), HOUR)
        rule_id = await told.rule(rule())
        labels = {"network": "metis"}
        episode = await told.happen(rule_id, labels=labels)
        sending = told.sending(server.outside())
        await told.settle(sending)
        await told.happen(rule_id, Transition.RESOLVED, episode=episode, labels=labels)
        await told.settle(sending)
        assert server.requests == []


async def test_the_end_of_what_was_told_is_told_in_a_silence_too(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        rule_id = await told.rule(rule())
        episode = await told.happen(rule_id)
        sending = told.sending(server.outside())
        await told.settle(sending)
        await told.silence(Matcher("rule", "Failure rate"), HOUR)
        await told.happen(rule_id, Transition.RESOLVED, episode=episode)
        await told.pass_time(sending, timedelta(seconds=5))
        assert titles(server) == ["Firing: Failure rate", "Resolved: Failure rate"]


async def test_a_recurring_window_holds_back_within_its_hours(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        sundays = Schedule((6,), time(13), time(14), "Europe/Berlin")  # 12:00 to 13:00 UTC
        await told.silence(Matcher("rule", "Failure rate"), timedelta(days=20), schedule=sundays)
        sending = told.sending(server.outside())
        await told.happen(await told.rule(rule()))
        await told.pass_time(sending, timedelta(minutes=59))
        assert server.requests == []
        await told.pass_time(sending, timedelta(minutes=1))
        assert len(server.requests) == 1


async def test_a_project_cannot_silence_what_is_not_its_own(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        mine, other = await told.project("mine"), await told.project("other")
        await told.silence(Matcher("severity", "warning"), HOUR, mine)
        for project_id in (mine, other, None):
            await told.happen(await told.rule(rule(), project_id), project_id=project_id)
        await told.settle(told.sending(server.outside()))
        projects = {request.document["alerts"][0]["project"] for request in server.requests}
        assert projects == {"other", None}


async def test_a_silence_ends_with_its_alerts_and_not_before(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        rule_id = await told.rule(rule())
        episode = await told.happen(rule_id)
        sending = told.sending(server.outside())
        await told.settle(sending)
        await told.silence(Matcher("rule", "Failure rate"), 20 * HOUR, until_resolved=True)
        await told.pass_time(sending, HOUR, steps=4)
        assert await told.fetchval("select ended_at from alert_silences") is None
        await told.happen(rule_id, Transition.RESOLVED, episode=episode)
        await told.pass_time(sending, timedelta(seconds=30), steps=3)
        row = (await told.fetch("select ended_at, ended_by from alert_silences"))[0]
        assert NOW + HOUR < row["ended_at"] <= told.now
        assert row["ended_by"] == "system"


@pytest.mark.parametrize("is_readable", [True, False])
async def test_the_end_of_a_silence_is_told_an_hour_before_and_once(
    told: Stage, is_readable: bool
) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        await told.rule(rule("Another", channels=("elsewhere",)))
        await told.rule(rule())
        if not is_readable:
            await told.execute("update alert_rules set document = document - 'trigger'")
        await told.silence(Matcher("rule", "Failure rate"), 3 * HOUR)
        sending = told.sending(server.outside())
        await told.pass_time(sending, 2 * HOUR - timedelta(seconds=1))
        assert server.requests == []
        await told.pass_time(sending, timedelta(minutes=10), steps=10)
        assert titles(server) == ["A silence ends at 2026-03-01 15:00:00 UTC"]
        assert "rule equal Failure rate" in server.requests[0].document["text"]


async def test_a_project_learns_nothing_of_a_silence_of_the_platform(told: Stage) -> None:
    """Neither the names of other projects and the comment, nor that it is about others at all."""
    async with receiver() as server:
        channels = {"": await told.webhook(server.url)}
        for slug in ("shop", "other"):
            project_id = await told.project(slug)
            channels[slug] = await told.webhook(server.url, project_id=project_id)
            await told.happen(await told.rule(rule(), project_id), project_id=project_id)
        await told.rule(rule("Of the platform"))
        await told.silence(Matcher("project", "secret|shop", MatchKind.PATTERN), 3 * HOUR)
        await told.pass_time(told.sending(server.outside()), 2 * HOUR, steps=2)
        assert await held(told) == ["Silenced by the platform until 2026-03-01 15:00 UTC"]
        endings = {
            row["channel_id"]: (row["message"]["text"], row["project_id"])
            for row in await told.sends()
            if row["message"]["title"].startswith("A silence ends")
        }
        assert set(endings) == {channels[""], channels["shop"]}
        text, owner = endings[channels["shop"]]
        assert "secret" not in text
        assert "maintenance" not in text
        assert owner is not None, "it is in the project's own history"
        assert "secret|shop" in endings[channels[""]][0]


async def test_an_alert_of_a_network_explains_those_of_its_projects(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        project_id = await told.project("shop")
        network = rule("Network", severity=Severity.CRITICAL, trigger=watch(group_by=("network",)))
        network_id = await told.rule(network)
        cause = await told.happen(network_id, labels={"network": "metis"}, instance="metis")
        of_project = await told.rule(rule("Mine"), project_id)
        fields: dict[str, Any] = {"project_id": project_id}
        await told.happen(of_project, labels={"network": "metis"}, instance="metis", **fields)
        await told.happen(of_project, labels={"network": "hyperion"}, instance="hyper", **fields)
        sending = told.sending(server.outside())
        await told.pass_time(sending, timedelta(seconds=30), steps=3)
        assert set(titles(server)) == {"Firing: Network (metis)", "Firing: Mine (shop · hyper)"}
        reason = "Explained by an alert of the platform, which fires"
        assert await held(told) == [reason]
        labels = {"network": "metis"}
        over = Transition.RESOLVED
        await told.happen(network_id, over, episode=cause, instance="metis", labels=labels)
        await told.pass_time(sending, timedelta(seconds=30), steps=3)
        later = {"Resolved: Network (metis)", "Still firing: Mine (shop · metis)"}
        assert set(titles(server)[2:]) == later


async def test_a_rule_that_cannot_be_read_still_holds_back_what_it_explains(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        unreadable = await told.rule(rule("Network", severity=Severity.CRITICAL))
        labels = {"network": "metis"}
        await told.happen(unreadable, labels=labels)
        await told.execute("update alert_rules set document = document - 'trigger'")
        project_id = await told.project("shop")
        mine = await told.rule(rule("Mine"), project_id)
        await told.happen(mine, labels=labels, project_id=project_id)
        await told.settle(told.sending(server.outside()))
        assert titles(server) == ["Firing: Network"]
        assert await held(told) == ["Explained by an alert of the platform, which fires"]


async def test_a_lesser_alert_explains_no_worse_one(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        project_id = await told.project("shop")
        spread = await told.rule(rule("Spread", severity=Severity.INFO))
        await told.happen(spread, labels={"projects": "other,shop"})
        mine = await told.rule(rule("Mine", severity=Severity.CRITICAL), project_id)
        await told.happen(mine, project_id=project_id)
        await told.settle(told.sending(server.outside()))
        assert len(server.requests) == 2


async def test_a_flapping_alert_is_told_once(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        rule_id = await told.rule(rule())
        sending = told.sending(server.outside())
        for number in range(8):
            episode = await told.happen(rule_id)
            if number == 3:
                await told.happen(rule_id, Transition.FLAPPING, episode=episode)
            await told.pass_time(sending, timedelta(minutes=1))
            await told.happen(rule_id, Transition.RESOLVED, episode=episode)
            await told.pass_time(sending, timedelta(minutes=1))
        assert Counter(title.partition(":")[0] for title in titles(server)) == {
            "Firing": 3,
            "Resolved": 3,
            "Flapping": 1,
        }
        await told.happen(rule_id, Transition.STEADY)
        await told.settle(sending)
        assert titles(server)[-1] == "Steady again: Failure rate"


async def test_a_rule_that_cannot_be_evaluated_is_told_also_while_it_flaps(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        rule_id = await told.rule(rule())
        sending = told.sending(server.outside())
        reason = "The rule cannot be evaluated: There is no measure 'luck'."
        await told.happen(rule_id, Transition.FLAPPING)
        await told.pass_time(sending, timedelta(minutes=1))
        for transition in (Transition.FAILING, Transition.RECOVERED):
            broken = Evidence(NOW, Outcome.ERROR, reason=reason)
            await told.happen(rule_id, transition, found=broken)
            await told.pass_time(sending, timedelta(minutes=1))
        assert titles(server)[-2:] == [
            "Cannot be evaluated: Failure rate",
            "Can be evaluated again: Failure rate",
        ]
        (alert,) = server.requests[-2].document["alerts"]
        assert (alert["transition"], alert["status"]) == ("failing", "told")
        assert reason in server.requests[-2].document["text"]


async def test_alerts_of_a_rule_that_come_together_are_one_message(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        rule_id = await told.rule(rule())
        for number in range(5):
            await told.happen(rule_id, instance=f"n{number}")
        sending = told.sending(server.outside())
        await told.settle(sending)
        told.now += timedelta(seconds=1)
        for number in range(5, 9):
            await told.happen(rule_id, instance=f"n{number}")
        await told.settle(sending)
        await told.pass_time(sending, timedelta(seconds=1))
        sizes = [len(request.document["alerts"]) for request in server.requests]
        assert sum(sizes) == 9
        assert len(sizes) == 2
        assert titles(server)[1].startswith(f"{sizes[1]} alerts: Firing: Failure rate (n")


async def test_a_channel_has_a_cap_and_then_one_summary(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url, sends_per_hour=5)
        sending = told.sending(server.outside())
        for number in range(20):
            await told.happen(await told.rule(rule(f"Rule {number}")))
            await told.pass_time(sending, timedelta(seconds=1))
        assert len(server.requests) == 5
        assert len(await held(told)) == 15
        await told.execute("update alert_instances set phase = 0")
        await told.pass_time(sending, HOUR)
        assert titles(server)[5:] == ["15 more alerts were held back"]
        assert "Rule 19: 1" in server.requests[5].document["text"]


async def test_a_full_channel_is_still_told_that_alerts_are_over(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url, sends_per_hour=1)
        rule_id = await told.rule(rule())
        episode = await told.happen(rule_id)
        sending = told.sending(server.outside())
        await told.settle(sending)
        await told.happen(rule_id, Transition.RESOLVED, episode=episode)
        await told.pass_time(sending, timedelta(seconds=5))
        assert titles(server) == ["Firing: Failure rate", "Resolved: Failure rate"]


async def test_an_alert_that_lasts_is_told_again_until_it_is_acknowledged(told: Stage) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        rule_id = await told.rule(rule())
        critical_id = await told.rule(rule("Critical", severity=Severity.CRITICAL))
        await told.happen(rule_id)
        episode = await told.happen(critical_id)
        sending = told.sending(server.outside())
        await told.pass_time(sending, timedelta(hours=8.5), steps=102)
        found = Counter(titles(server))
        assert found["Firing: Failure rate"] == found["Firing: Critical"] == 1
        assert (found["Still firing: Failure rate"], found["Still firing: Critical"]) == (2, 8)
        assert len(set(server.keys)) == len(server.keys)
        await told.happen(critical_id, Transition.ACKNOWLEDGED, episode=episode, by="ann")
        await told.execute(
            "update alert_instances set acknowledged_at = $1 where rule_id = $2",
            *(told.now, critical_id),
        )
        server.requests.clear()
        await told.pass_time(sending, 3 * HOUR, steps=12)
        assert titles(server) == ["Acknowledged: Critical"]
        assert "by ann" in server.requests[0].document["text"]


async def test_alerts_that_fire_are_looked_at_some_at_a_time(
    told: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FIRING_AT_ONCE", 3)
    async with receiver() as server:
        await told.webhook(server.url)
        await told.silence(Matcher("rule", "Failure rate"), timedelta(minutes=20))
        last = await told.silence(Matcher("instance", "6"), 20 * HOUR, until_resolved=True)
        rule_id = await told.rule(rule())
        episodes = [await told.happen(rule_id, instance=str(number)) for number in range(7)]
        sending = told.sending(server.outside())
        await told.settle(sending)
        await told.execute(
            "update alert_silences set ends_at = $1 where silence_id <> $2", NOW, last
        )
        ended = "select ended_at is not null from alert_silences where silence_id = $1"
        for known in (3, 3, 6):  # the last three, of which one is held; then the first again
            await told.pass_time(sending, timedelta(seconds=20))
            assert await told.fetchval("select count(*) from alert_told") == known
            assert not await told.fetchval(ended, last)
        await told.happen(rule_id, Transition.RESOLVED, instance="6", episode=episodes[6])
        await told.pass_time(sending, timedelta(seconds=20))
        assert await told.fetchval(ended, last)
