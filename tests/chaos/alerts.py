"""An experiment with alerts: two workers evaluate and send, while one after another is killed."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from alerts.rules import LITERAL, EventKind, OnEvent, Operator, Threshold, Watch
from alerts.states import Phase, Transition
from ingest.intake import Intake
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from tests.alerts.delivery.receivers import Receiver, receiver
from tests.alerts.engine import Engine
from tests.gateway.graphql.edge import SECRET
from tests.servers import Databases, temporary_folder, throw_away_postgres

WORKERS = 2
PATIENCE_SECONDS = 90.0
FAILED = OnEvent(EventKind.DEPLOYMENT_FAILED, keep_firing_seconds=5)
BY_ENVIRONMENT = Watch(
    "deployments.failed",
    60,
    Threshold(Operator.ABOVE, 0),
    LITERAL,
    group_by=("environment",),
)
# As many environments as a rule watches at most.
ENVIRONMENTS = 90
_SENT = ("firing", "resolved", "gone")


@dataclass
class Workers:
    """Worker processes, which may be killed at any moment."""

    database_url: str
    folder: Path
    receiver: Receiver
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        variables = {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "GATEWAY_ENV": "production",
            "JWT_SECRET": SECRET,
            "ALERT_LOCAL_HOSTS": f"127.0.0.1:{self.receiver.port}",
        }
        command = [sys.executable, "-m", "gateway", "worker"]
        with (self.folder / "workers.log").open("ab") as log:
            self.running.append(subprocess.Popen(command, env=variables, stdout=log, stderr=log))

    def kill(self, number: int) -> None:
        victim = self.running.pop(number)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()

    def end(self) -> None:
        while self.running:
            self.kill(0)


def experiment(rounds: int, seed: int, say: Callable[[str], None]) -> str:
    """Kills a worker so many times; says what was survived, or raises AssertionError."""
    with ExitStack() as stack:
        server_url = stack.enter_context(throw_away_postgres())
        folder = stack.enter_context(temporary_folder())
        url = stack.enter_context(Databases.on(server_url).fresh())
        return asyncio.run(_experiment(url, folder, rounds, seed, say))


async def _experiment(
    url: str, folder: Path, rounds: int, seed: int, say: Callable[[str], None]
) -> str:
    generator = random.Random(seed)
    database = await Database.open(url)
    intake = Intake(database, Dictionaries(database), lambda: datetime.now(UTC))
    await intake.start()
    engine = Engine(database, intake)
    async with receiver() as hook:
        await keep_webhook(engine, hook)
        for trigger in (FAILED, BY_ENVIRONMENT):
            await engine.rule("shop", trigger, channels=("hook",))
        workers = Workers(url, folder, hook)
        failed = 0
        try:
            for _ in range(WORKERS):
                workers.start()
            await until(engine, is_followed, "no worker began to evaluate")
            for number in range(rounds):
                engine.now = datetime.now(UTC)
                count = generator.randrange(1, 4)
                environment = f"env-{number % ENVIRONMENTS}"
                await engine.deployments(
                    "shop", failed=count, ago=timedelta(0), environment=environment
                )
                failed += count
                await asyncio.sleep(generator.uniform(0.1, 4.0))
                workers.kill(generator.randrange(WORKERS))
                workers.start()
                say(f"round {number + 1}: a worker killed, {failed} deployments failed")
            await until(engine, lambda each: _is_told(each, failed), "not all was told")
        finally:
            workers.end()
        events = await _check(engine, hook, failed)
    await intake.stop()
    await database.close()
    return f"{events} transitions, each stored once and told under one key; none lost"


async def keep_webhook(engine: Engine, hook: Receiver) -> None:
    async with engine.database.transaction() as connection:
        await connection.execute(
            "insert into alert_channels values ($1, null, 'hook', 'webhook', true, $2, $3, 100000,"
            " now(), '', now(), '')",
            *(uuid4(), {"url": hook.url}, {"secret": "of sixteen letters"}),
        )


async def until(engine: Engine, holds: Callable[[Engine], Any], fault: str) -> None:
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not await holds(engine):
        assert time.monotonic() < give_up_at, fault
        await asyncio.sleep(0.5)


async def is_followed(engine: Engine) -> bool:
    ticks = {row["name"]: row["position"] for row in await engine.rows("alert_ticks")}
    return "watch" in ticks and "deployment" in ticks.get("events", {})


async def _is_told(engine: Engine, failed: int) -> bool:
    """Whether each failure has fired and ended, and nothing waits to be sent."""
    events = await engine.rows("alert_events")
    ends = [row for row in events if row["instance"].startswith("Deployment/")]
    sends = await engine.rows("alert_sends")
    waiting = [row for row in sends if row["status"] == "waiting"]
    return len(ends) == 2 * failed and not waiting and not await engine.rows("alert_outbox")


async def _check(engine: Engine, hook: Receiver, failed: int) -> int:
    events = await engine.rows("alert_events")
    _check_history(events, {row["instance"]: row for row in await engine.rows("alert_instances")})
    firings = [row for row in events if row["transition"] == Transition.FIRING]
    subjects = {row["instance"] for row in firings if row["instance"].startswith("Deployment/")}
    assert len(subjects) == failed, "a failed deployment fired not at all"
    keys: dict[UUID, set[UUID]] = defaultdict(set)
    received = set(hook.keys)
    for send in await engine.rows("alert_sends"):
        assert send["status"] == "sent", (send["status"], send["reason"])
        assert str(send["send_id"]) in received, "what was sent has not arrived"
        for event_id in send["event_ids"]:
            keys[UUID(str(event_id))].add(send["send_id"])
    assert all(len(of_event) == 1 for of_event in keys.values()), "told under two keys"
    for event in events:
        if event["transition"] == Transition.FIRING:
            assert event["event_id"] in keys, "a firing was never told"
    return len(events)


def _check_history(events: list[Any], instances: dict[str, Any]) -> None:
    """The state of each instance is what follows from its history."""
    by_instance: dict[str, list[Any]] = defaultdict(list)
    for event in sorted(events, key=lambda row: row["at"]):
        if event["transition"] in _SENT:
            by_instance[event["instance"]].append(event)
    for instance, history in by_instance.items():
        kinds = [event["transition"] for event in history]
        assert set(kinds[::2]) == {Transition.FIRING}, (instance, kinds)
        assert Transition.FIRING not in kinds[1::2], (instance, kinds)
        assert all(
            a["episode_id"] == b["episode_id"] for a, b in zip(*_pairs(history), strict=True)
        )
        last, row = history[-1], instances[instance]
        is_firing = last["transition"] == Transition.FIRING
        assert row["phase"] == (Phase.FIRING if is_firing else Phase.INACTIVE)
        assert row["since"] == last["at"], instance
        assert row["episode_id"] == (last["episode_id"] if is_firing else None)


def _pairs(history: list[Any]) -> tuple[list[Any], list[Any]]:
    """Firings, and the end of each that has ended."""
    return history[: len(history) // 2 * 2 : 2], history[1::2]
