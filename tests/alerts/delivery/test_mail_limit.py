"""The mails of a project go to a number of addresses within an hour, whatever its channels."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from alerts.delivery.channel import Outside
from alerts.delivery.email import ADDRESSES_AT_MOST
from alerts.mail_limit import KEPT_FOR_URGENT
from alerts.rules import Severity
from alerts.states import Transition
from gateway.config.settings import Settings
from storage.alerts import mails
from storage.alerts.mails import OWNERS_AT_MOST
from tests.alerts.delivery.stage import Stage, rule
from tests.alerts.delivery.test_mail import Mailbox, mail_server

HOUR = timedelta(hours=1)


@asynccontextmanager
async def limited(folder: Path, box: Mailbox, limit: int) -> AsyncIterator[Outside]:
    async with mail_server(folder, box) as outside:
        assert outside.mail is not None
        yield replace(outside, mail=replace(outside.mail, addresses_per_hour=limit))


def to(count: int) -> dict[str, list[str]]:
    return {"to": [f"{number}@example.com" for number in range(count)]}


def subjects(box: Mailbox) -> list[str]:
    return sorted(mail["Subject"] for mail in box.mails())


def addresses(box: Mailbox) -> int:
    return sum(len(envelope.rcpt_tos) for envelope in box.envelopes)


async def test_what_goes_beyond_is_held_and_summed_up(told: Stage, tmp_path: Path) -> None:
    box = Mailbox()
    async with limited(tmp_path, box, 10) as outside:
        noisy, quiet = await told.project("noisy"), await told.project("quiet")
        await told.channel("hook", "email", to(4), project_id=noisy)
        await told.channel("few", "email", to(2))
        for number in range(5):
            await told.happen(await told.rule(rule(f"Noise {number}"), noisy), project_id=noisy)
        sending = told.sending(outside)
        await told.settle(sending)
        assert addresses(box) == 8, "a fifth is kept"
        held = [row for row in await told.sends() if row["status"] == "held"]
        assert {row["reason"] for row in held} == {
            "The project has mailed 10 addresses within the hour"
        }
        assert {row["attempts"] for row in held} == {0}
        assert len(await told.attempts()) == 2, "what is held was not tried"
        urgent = rule("Urgent", severity=Severity.CRITICAL, channels=("few",))
        for rule_, project_id in (
            (urgent, noisy),
            (rule("More", channels=("few",)), noisy),
            (rule("Quiet", channels=("few",)), quiet),
            (rule("Platform", channels=("few",)), None),
        ):
            await told.happen(await told.rule(rule_, project_id), project_id=project_id)
        box.envelopes.clear()
        await told.settle(sending)
        assert subjects(box) == [
            "[CRITICAL] Firing: Urgent (noisy)",
            "[WARNING] Firing: Platform",
            "[WARNING] Firing: Quiet (quiet)",
        ]
        await told.execute("update alert_instances set phase = 0")
        box.envelopes.clear()
        await told.pass_time(sending, HOUR - timedelta(seconds=1), steps=3)
        assert box.envelopes == []
        await told.pass_time(sending, timedelta(seconds=2))
        assert subjects(box) == [
            "[INFO] 1 more alerts were held back",
            "[INFO] 3 more alerts were held back",
        ]
        text = box.mails()[0].get_body(("plain",))
        assert text is not None
        assert "This project has sent its mails of the hour." in text.get_content()


async def test_what_was_held_back_is_told_once_there_is_room(told: Stage, tmp_path: Path) -> None:
    """And its end is not told before: nobody knows of it."""
    box = Mailbox()
    async with limited(tmp_path, box, 10) as outside:
        project_id = await told.project("shop")
        await told.channel("hook", "email", to(4), project_id=project_id)
        sending, episodes = told.sending(outside), []
        rules = [await told.rule(rule(f"Rule {number}"), project_id) for number in range(5)]
        for rule_id in rules:
            episodes.append(await told.happen(rule_id, project_id=project_id))
            await told.settle(sending)
            told.now += timedelta(seconds=1)
        assert len(box.envelopes) == 2
        over = Transition.RESOLVED
        await told.happen(rules[2], over, episode=episodes[2], project_id=project_id)
        stored = len(await told.sends())
        await told.pass_time(sending, HOUR / 2, steps=5)
        assert (len(box.envelopes), len(await told.sends())) == (2, stored)
        await told.pass_time(sending, HOUR / 2)
        assert subjects(box)[:1] == ["[INFO] 3 more alerts were held back"]
        assert len(box.envelopes) == 4, "of the two that still fire there is room for one"
        await told.pass_time(sending, HOUR, steps=2)
        await told.pass_time(sending, timedelta(seconds=10))
        assert subjects(box) == [
            "[INFO] 1 more alerts were held back",
            "[INFO] 3 more alerts were held back",
            *(f"[WARNING] Firing: Rule {number} (shop)" for number in (0, 1)),
            *(f"[WARNING] Still firing: Rule {number} (shop)" for number in (3, 4)),
        ]


async def test_a_reminder_that_is_held_back_leaves_what_was_told(
    told: Stage, tmp_path: Path
) -> None:
    box = Mailbox()
    async with limited(tmp_path, box, 10) as outside:
        project_id = await told.project("shop")
        for name in ("hook", "few"):
            await told.channel(name, "email", to(4 if name == "hook" else 7), project_id=project_id)
        sending, rules = told.sending(outside), {}
        for name in ("hook", "few"):
            rules[name] = await told.rule(rule(f"To {name}", channels=(name,)), project_id)
        episode = await told.happen(rules["hook"], project_id=project_id)
        await told.settle(sending)
        told.now += 4 * HOUR - timedelta(seconds=5)
        await told.happen(rules["few"], project_id=project_id)
        await told.settle(sending)
        await told.pass_time(sending, timedelta(seconds=10))
        statuses = sorted(row["status"] for row in await told.sends())
        assert statuses == ["held", "sent", "sent", "waiting"], "the last is the summary"
        told.now += HOUR
        over = Transition.RESOLVED
        await told.happen(rules["hook"], over, episode=episode, project_id=project_id)
        await told.settle(sending)
        assert "[WARNING] Resolved: To hook (shop)" in subjects(box)


async def test_a_mail_that_failed_is_tried_again_though_others_came_between(
    told: Stage, tmp_path: Path
) -> None:
    box = Mailbox(answer="451 later")
    async with limited(tmp_path, box, 10) as outside:
        project_id = await told.project("shop")
        await told.channel("hook", "email", to(4), project_id=project_id)
        await told.channel("few", "email", to(5), project_id=project_id)
        sending = told.sending(outside)
        await told.happen(await told.rule(rule("First"), project_id), project_id=project_id)
        await told.settle(sending)
        box.answer = "250 kept"
        urgent = rule("Urgent", severity=Severity.CRITICAL, channels=("few",))
        await told.happen(await told.rule(urgent, project_id), project_id=project_id)
        await told.settle(sending)
        await told.pass_time(sending, timedelta(seconds=10))
        assert [row["status"] for row in await told.sends()] == ["sent", "sent"]


async def test_two_workers_keep_the_limit_together(told: Stage, tmp_path: Path) -> None:
    box = Mailbox()
    async with limited(tmp_path, box, 10) as outside:
        project_id = await told.project("shop")
        for number in range(12):
            name = f"channel {number}"
            await told.channel(name, "email", {**to(1), "owners": True}, project_id=project_id)
            rule_id = await told.rule(rule(f"Rule {number}", channels=(name,)), project_id)
            await told.happen(rule_id, project_id=project_id)
        workers = [told.sending(outside) for _ in range(2)]
        for _ in range(4):
            await asyncio.gather(*(worker.step() for worker in workers))
            await asyncio.gather(*(worker.settle() for worker in workers))
        assert addresses(box) == 8


def test_the_least_limit_has_room_for_the_largest_mail() -> None:
    least = Settings(environment="demo", alert_mails_per_hour=125)
    assert (1 - KEPT_FOR_URGENT) * least.alert_mails_per_hour >= ADDRESSES_AT_MOST + OWNERS_AT_MOST
    with pytest.raises(ValidationError, match="alert_mails_per_hour"):
        Settings(environment="demo", alert_mails_per_hour=124)


async def test_workers_take_turns_before_they_lock_sends(told: Stage, tmp_path: Path) -> None:
    """Or two that claim mails, and sum up what is held back, could wait for each other."""
    async with limited(tmp_path, Mailbox(), 10) as outside:
        project_id = await told.project("shop")
        await told.channel("hook", "email", to(2), project_id=project_id)
        await told.happen(await told.rule(rule(), project_id), project_id=project_id)
        async with told.database.transaction() as counting:
            await mails.lock(counting)
            working = asyncio.create_task(told.sending(outside).step())
            async with asyncio.timeout(10):
                while not await told.fetchval(_WAITERS):  # noqa: ASYNC110 - the database sets no event
                    await asyncio.sleep(0.01)
            rows = await counting.fetch("select send_id from alert_sends for update skip locked")
            assert len(rows) == 1
        await working


_WAITERS = """
select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database
where datname = current_database() and locktype = 'advisory' and not granted
"""


async def test_the_end_of_what_was_told_has_room(told: Stage, tmp_path: Path) -> None:
    box = Mailbox()
    async with limited(tmp_path, box, 10) as outside:
        project_id = await told.project("shop")
        await told.channel("hook", "email", to(2), project_id=project_id)
        sending, episodes = told.sending(outside), []
        rules = [await told.rule(rule(f"Rule {number}"), project_id) for number in range(5)]
        for rule_id in rules:
            episodes.append(await told.happen(rule_id, project_id=project_id))
            await told.settle(sending)  # so that the first is told
        assert addresses(box) == 8
        box.envelopes.clear()
        told.now += timedelta(seconds=3)
        over = Transition.RESOLVED
        await told.happen(rules[0], over, episode=episodes[0], project_id=project_id)
        await told.pass_time(sending, timedelta(seconds=3))
        assert subjects(box) == ["[WARNING] Resolved: Rule 0 (shop)"]
