"""A flood: many alerts of many channels at once, of which some receivers are slow or dead."""

import asyncio
from dataclasses import replace

import pytest

from access.outgoing import Outgoing
from alerts import outbox
from alerts import sending as sending_module
from alerts.delivery.channel import Outside
from tests.alerts.delivery.receivers import Receiver, eventually, receiver
from tests.alerts.delivery.stage import Stage, rule
from tests.patience import HANGS_SECONDS

CHANNELS, EACH = 16, 8


def reaching(*servers: Receiver) -> Outside:
    """A way out to several servers, which waits for an answer as long as a test may last."""
    local = {name for one in servers for name in one.outside().outgoing.destinations.local}
    outside = servers[0].outside()
    destinations = replace(outside.outgoing.destinations, local=frozenset(local))
    return replace(outside, outgoing=Outgoing(destinations, timeout_seconds=60))


async def flood(told: Stage, quick: Receiver, *dead: Receiver) -> None:
    """Some alerts for each channel; each receiver that never answers has one."""
    for number in range(CHANNELS):
        server = dead[number] if number < len(dead) else quick
        project_id = await told.project(f"shop-{number}")
        await told.webhook(f"{server.url}/{number}", f"channel {number}")
        for each in range(EACH):
            named = rule(f"Rule {number}/{each}", channels=(f"channel {number}",))
            await told.happen(await told.rule(named, project_id), project_id=project_id)


async def test_receivers_that_never_answer_delay_no_other(told: Stage) -> None:
    """They hang for a minute; all others have their messages long before."""
    async with receiver(hangs=True) as first, receiver(hangs=True) as second, receiver() as quick:
        await flood(told, quick, first, second)
        sending = told.sending(reaching(quick, first, second))
        async with asyncio.timeout(20):
            while len(quick.requests) < (CHANNELS - 2) * EACH:
                await sending.step()
                await asyncio.sleep(0.01)
        for server in (first, second):
            assert server.open_now == len(server.requests) == 4, "they still wait, all that may"
        await eventually(lambda: len(sending._running) == 8)
        outcomes = [row["outcome"] for row in await told.attempts()]
        assert outcomes.count("delivered") == (CHANNELS - 2) * EACH
        assert outcomes.count("sending") == 8
        tasks = list(sending._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_step_goes_on_until_all_is_sent(
    told: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than may be sent at once, and more than is dispatched at once."""
    monkeypatch.setattr(outbox, "TAKEN_AT_ONCE", 50)
    monkeypatch.setattr(sending_module, "BUSY_SECONDS", HANGS_SECONDS)
    assert CHANNELS * EACH > sending_module.SENT_AT_ONCE
    async with receiver() as quick:
        await flood(told, quick)
        sending = told.sending(reaching(quick))
        found = await sending.step()
        assert found["dispatched"] == CHANNELS * EACH
        begun = found["sends"]
        assert isinstance(begun, int)
        assert begun > sending_module.SENT_AT_ONCE
        await told.settle(sending)
        assert len(set(quick.keys)) == CHANNELS * EACH
