"""The worker runs its jobs on a real database, survives failures and stops in order."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from gateway.observability.telemetry import Telemetry
from gateway.processes.worker import Job, repeat
from storage.errors import Unavailable
from tests.gateway.graphql.edge import SECRET


@contextmanager
def worker_process(database_url: str, log: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    variables = {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "WORKER_PORT": str(port),
        "GATEWAY_ENV": "production",
        "JWT_SECRET": SECRET,
    }
    command = [sys.executable, "-m", "gateway", "worker"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=variables, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lines(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def scraped(port: int) -> str:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics").text
    except httpx.TransportError:
        return ""  # not listening yet


async def partitions(database_url: str) -> dict[str, int]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "select inhparent::regclass::text as name, count(*) from pg_inherits"
            " join pg_partitioned_table on partrelid = inhparent group by 1"
        )
        return {row["name"]: row["count"] for row in rows}
    finally:
        await connection.close()


@pytest.mark.process
def test_worker_runs_jobs_and_stops_in_order(own_database_url: str, tmp_path: Path) -> None:
    log, port = tmp_path / "worker.log", free_port()
    with worker_process(own_database_url, log, port) as process:
        give_up_at = time.monotonic() + 30
        while 'job="retention",outcome="ok"} 1.0' not in scraped(port):
            assert time.monotonic() < give_up_at, log.read_text(encoding="utf-8")
            time.sleep(0.1)
        assert httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200
        metrics = scraped(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert {"started", "stopping"} <= {line["event"] for line in lines(log)}
    counts = asyncio.run(partitions(own_database_url))
    assert counts["deployment_events"] > 1
    for table, count in counts.items():
        assert f'gateway_partitions{{table="{table}"}} {count}.0' in metrics


async def test_failing_job_is_logged_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.processes.worker.AFTER_FAILURE_SECONDS", 0.01)
    telemetry, stopping = Telemetry(), asyncio.Event()
    failures: list[Exception] = [Unavailable("away"), RuntimeError("a fault")]

    async def step() -> dict[str, object]:
        if failures:
            raise failures.pop(0)
        stopping.set()
        return {"rows": 3}

    crashed: list[tuple[str, str]] = []

    def on_crash(name: str, error: BaseException) -> None:
        crashed.append((name, str(error)))

    with capture_logs() as logs:
        await asyncio.wait_for(repeat(Job("job", 600, step), telemetry, stopping, on_crash), 5)
    assert [line["event"] for line in logs] == ["job_failed", "job_crashed", "job_done"]
    assert crashed == [("job", "a fault")]
    text = generate_latest(telemetry.registry).decode()
    assert 'gateway_job_seconds_count{job="job",outcome="failed"} 2.0' in text
    assert 'gateway_job_last_success_timestamp_seconds{job="job"}' in text
