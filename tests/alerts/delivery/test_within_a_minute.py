"""From events that break a rule to the message of each kind of rule, through a real worker."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.alerts.delivery.receivers import Received, eventually, receiver
from tests.alerts.engine import Engine
from tests.chaos.alerts import BY_ENVIRONMENT, FAILED, Workers, is_followed, keep_webhook, until

pytestmark = [pytest.mark.alone, pytest.mark.process]


async def test_people_are_told_within_a_minute_of_the_breach(
    engine: Engine, own_database_url: str, tmp_path: Path
) -> None:
    """R92. Nobody keeps the worker warm: these are its first evaluations."""
    async with receiver() as hook:
        await keep_webhook(engine, hook)
        await engine.rule("shop", FAILED, name="on event", channels=("hook",))
        await engine.rule("shop", BY_ENVIRONMENT, name="windowed", channels=("hook",))
        workers = Workers(own_database_url, tmp_path, hook)
        workers.start()
        try:
            await until(engine, is_followed, "no worker began to evaluate")
            accepted = time.monotonic()
            await engine.deployments("shop", failed=1, ago=timedelta(0), environment="production")
            await eventually(lambda: {"on event", "windowed"} <= told(hook.requests), 60)
            assert time.monotonic() - accepted < 60
        finally:
            workers.end()


def told(requests: list[Received]) -> set[str]:
    """The names of the rules that messages came of."""
    return {alert["rule"] for request in requests for alert in request.document["alerts"]}
