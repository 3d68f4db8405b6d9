"""Real workers: a transition arrives within seconds, and also when its sender is killed."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from tests.alerts.delivery.receivers import eventually, receiver
from tests.alerts.delivery.stage import rule, stage
from tests.gateway.processes.test_worker import free_port, worker_process
from tests.patience import HANGS_SECONDS

pytestmark = [pytest.mark.alone, pytest.mark.process]


async def test_a_killed_worker_loses_nothing_and_changes_no_key(
    own_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(own_database_url) as told, receiver() as server:
        monkeypatch.setenv("ALERT_LOCAL_HOSTS", f"127.0.0.1:{server.port}")
        # By the clock of the workers, whose retention deletes what has waited for a week.
        told.now = datetime.now(UTC)
        await told.webhook(server.url)
        await told.happen(await told.rule(rule("First")))
        log = tmp_path / "first.log"
        with worker_process(own_database_url, log, free_port()) as first:
            await eventually(lambda: len(server.requests) == 1, HANGS_SECONDS)
            began = time.monotonic()
            await told.happen(await told.rule(rule("Second")))
            await eventually(lambda: len(server.requests) == 2, HANGS_SECONDS)
            assert time.monotonic() - began < 2
            server.hangs = True
            await told.happen(await told.rule(rule("Third")))
            await eventually(lambda: len(server.requests) == 3, HANGS_SECONDS)
            first.kill()
        server.hangs = False
        assert [row["status"] for row in await told.sends()].count("waiting") == 1
        # The lease of the try ends: tests do not wait for that.
        await told.execute("update alert_sends set due_at = now() where status = 'waiting'")
        workers = [
            worker_process(own_database_url, tmp_path / f"{uuid4()}.log", free_port())
            for _ in range(2)
        ]
        with workers[0], workers[1]:
            await eventually(lambda: len(server.requests) >= 4, HANGS_SECONDS)
            await asyncio.sleep(2)
        keys = server.keys
        assert len(keys) == 4
        assert keys[2] == keys[3]
        assert len(set(keys)) == 3
    outcomes = [row["outcome"] for row in await attempts(own_database_url)]
    assert sorted(outcomes) == ["delivered", "delivered", "delivered", "interrupted"]


async def attempts(url: str) -> list[dict[str, str]]:
    async with stage(url) as told:
        return [dict(row) for row in await told.attempts()]
