"""Samples of the host: what is read, how often, by whom, and what becomes of them."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import psutil
import pytest
from structlog.testing import capture_logs

from access.viewers import Role, Viewer
from gateway.config.settings import Settings
from gateway.observability import host_samples
from gateway.observability.host import MAX_CORES, SLOW_SECONDS, Figure, Host
from gateway.observability.host_samples import (
    BASE_SECONDS,
    LONGEST_SECONDS,
    MAX_WAITING,
    SHORTEST_SECONDS,
    HostSamples,
    Pace,
)
from gateway.observability.recorder import Recorder
from ingest.events import Event, EventStatus, Result
from ingest.formats.raw import Raw
from ingest.normaliser import TimeWindow, normalise
from storage.errors import Unavailable
from tests.gateway.application import as_role, eventually, running, settings_for

NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
METRICS = {
    *("system_cpu_busy_percent", "system_cpu_usage_percent"),
    *("system_memory_usage_percent", "system_memory_usage_bytes"),
    *("system_load_average", "system_disk_usage_percent", "system_disk_usage_bytes"),
    *("system_network_bytes", "system_uptime_seconds"),
    *("process_cpu_seconds", "process_memory_bytes"),
}


def of(figures: Sequence[Figure], metric: str, **labels: str) -> list[float]:
    return [each.value for each in figures if each.metric == metric and each.labels == labels]


def test_a_host_has_its_figures() -> None:
    """R28, R134: CPU, memory, load, disk, network and uptime."""
    host = Host()
    time.sleep(0.05)  # the kernel counts in hundredths of a second
    found = host.read()
    assert {figure.metric for figure in found} - {"system_disk_io_bytes"} == METRICS
    assert len({(figure.metric, str(figure.labels)) for figure in found}) == len(found)
    cores = psutil.cpu_count()
    assert len(found) <= 25 + (cores if cores <= MAX_CORES else 0)
    for figure in found:
        assert figure.value >= 0
        assert not figure.metric.endswith("_percent") or figure.value <= 100
    assert len(of(found, "system_load_average", period="15m")) == 1
    (used,) = of(found, "system_memory_usage_bytes", type="used")
    assert 0 < used < psutil.virtual_memory().total


def test_what_changes_slowly_is_read_every_five_minutes() -> None:
    now = 100.0
    host = Host(stopwatch=lambda: now)
    everything = {figure.metric for figure in host.read()}
    slow = {"system_disk_usage_bytes", "system_uptime_seconds", "process_memory_bytes"}
    assert slow <= everything
    assert slow.isdisjoint(figure.metric for figure in host.read())
    now += SLOW_SECONDS
    assert slow <= {figure.metric for figure in host.read()}


async def test_work_is_seen_as_cpu_time_of_the_host_and_of_this_process() -> None:
    host = Host()
    own = psutil.Process()
    before = sum(own.cpu_times()[:2])
    while sum(own.cpu_times()[:2]) - before < 0.32:  # told in hundredths, twice
        sum(range(100_000))
    found = host.read()
    (spent,) = of(found, "process_cpu_seconds", process="gateway")
    assert 0.29 <= spent <= 2
    (busy,) = of(found, "system_cpu_busy_percent")
    assert busy > 100 / (psutil.cpu_count() or 1) / 4


def test_a_counter_that_began_anew_is_left_out() -> None:
    host = Host()
    for key, figure in host._counters.items():
        host._counters[key] = figure._replace(value=2.0**80)
    assert of(host.read(), "process_cpu_seconds", process="gateway") == []
    assert of(host.read(), "process_cpu_seconds", process="gateway") != []


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, str]], None]:
    """Lets psutil read this machine's /proc, but files of these names with other contents."""

    def change(contents: Mapping[str, str]) -> None:
        for name in ("stat", "meminfo", "vmstat", "diskstats", "net", str(os.getpid())):
            if name in contents:
                (tmp_path / name).write_text(contents[name], encoding="ascii")
            else:
                (tmp_path / name).symlink_to(f"/proc/{name}")
        monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))

    return change


DISK_IO = {"system_disk_io_bytes"}
TIMES = "1 2 3 4 5 6 7 8 9 10"


@pytest.mark.parametrize(
    ("contents", "group", "missing"),
    [
        ({"diskstats": "8 0 sda of a later kernel\n"}, "disk_io", DISK_IO),
        ({"net": ""}, "network", {"system_network_bytes"}),
        ({"stat": f"cpu {TIMES}\ncpu0 {TIMES}\n"}, "uptime", {"system_uptime_seconds"}),
    ],
)
def test_figures_that_cannot_be_read_are_left_out_and_the_log_tells_once(
    proc: Callable[[Mapping[str, str]], None],
    contents: dict[str, str],
    group: str,
    missing: set[str],
) -> None:
    now = 100.0
    proc(contents)
    with capture_logs() as logged:
        host = Host(stopwatch=lambda: now)
        for _ in range(2):
            now += SLOW_SECONDS
            found = {figure.metric for figure in host.read()}
    # May be missing, if no time has passed.
    cpu = {"system_cpu_busy_percent", "system_cpu_usage_percent"}
    assert METRICS - missing - cpu <= found <= (METRICS | DISK_IO) - missing
    assert [line["figures"] for line in logged] == [group]


async def test_a_gateway_opens_where_the_host_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str
) -> None:
    def has_no_disks() -> None:
        raise NotImplementedError

    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    monkeypatch.setattr(psutil, "disk_io_counters", has_no_disks)
    settings = settings_for(database_url, redis_url, host_samples_project="unreadable")
    async with running(settings) as client:
        assert (await client.get("/health")).status_code == 200
    assert "system_load_average" in {figure.metric for figure in Host().read()}


def shares(cpu: float, memory: float = 20) -> list[Figure]:
    return [
        Figure("system_cpu_busy_percent", cpu, {}),
        Figure("system_cpu_usage_percent", 100, {"core": "0", "type": "busy"}),
        Figure("system_memory_usage_percent", memory, {}),
        Figure("system_disk_usage_percent", 99, {"path": "/"}),
    ]


@pytest.mark.parametrize(
    ("readings", "pauses"),
    [
        ([shares(5)] * 6, [10, 15, 22.5, 30, 30, 30]),  # quiet
        ([shares(5), shares(90), shares(90), shares(89), shares(5)], [10, 5, 5, 5, 5]),
        ([shares(5, 81)], [5]),  # short of memory from the start
        ([shares(5), shares(16), shares(16), shares(16)], [10, 5, 10, 15]),  # a change
        ([[], []], [10, 15]),  # nothing is known
    ],
)
def test_the_pace_is_between_five_and_thirty_seconds(
    readings: list[list[Figure]], pauses: list[float]
) -> None:
    pace = Pace()
    assert [pace.after(each, 0.001) for each in readings] == pauses


async def test_the_pause_begins_at_ten_seconds_and_comes_back_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """R144, E14: these are the pauses that are really made, the one before the first sample too."""
    pauses: list[float] = []
    this_task, real_sleep = asyncio.current_task(), asyncio.sleep

    async def sleep(seconds: float) -> None:
        if asyncio.current_task() is not this_task:  # what other tests left on the loop
            await real_sleep(seconds)
            return
        pauses.append(seconds)
        if len(pauses) > len(readings):
            raise asyncio.CancelledError

    readings = [shares(5)] * 4 + [shares(90), shares(85), shares(84), shares(5), *[shares(5)] * 4]
    given = iter(readings)
    samples, _, _ = sampler(Intake(), holds, lambda: next(given))
    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await samples.follow()
    assert pauses == [5, 10, 15, 22.5, 30, *[5] * 4, 10, 15, 22.5, 30]


def test_a_slow_reading_is_done_seldom() -> None:
    pace = Pace()
    assert pace.after(shares(90), took_seconds=0.1) == pytest.approx(10)
    assert pace.after(shares(90), took_seconds=5) == LONGEST_SECONDS


class Intake:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    async def record(self, events: Sequence[dict[str, Any]], viewer: Viewer) -> list[Result]:
        assert viewer.is_admin
        self.events += events
        return [
            Result(index, each["id"], EventStatus.ACCEPTED) for index, each in enumerate(events)
        ]


class Readings(Host):
    """A host with other figures."""

    def __init__(self, figures: Callable[[], Sequence[Figure]]) -> None:
        super().__init__()
        self._figures = figures

    def read(self) -> list[Figure]:
        return [*self._figures()]


def sampler(
    intake: Intake, claim: Callable[[], Any], read: Callable[[], Sequence[Figure]]
) -> tuple[HostSamples, Recorder, list[int]]:
    return sampler_of(intake, claim, Readings(read))


def sampler_of(
    intake: Intake, claim: Callable[[], Any], host: Host
) -> tuple[HostSamples, Recorder, list[int]]:
    lost: list[int] = []
    common = {"type": "metric.sample", "project": "own", "environment": "tests"}
    recorder = Recorder(intake.record, lambda: NOW, common, MAX_WAITING, lost.append)
    samples = HostSamples("machine-1", host, claim, recorder, lambda: NOW, stopwatch=lambda: 0.0)
    return samples, recorder, lost


async def holds() -> bool:
    return True


async def test_a_step_queues_events_of_one_moment() -> None:
    intake = Intake()
    samples, recorder, _ = sampler(intake, holds, lambda: shares(12.5))
    assert await samples.step() == BASE_SECONDS
    await recorder.flush()
    read = [normalise(Raw(event), TimeWindow(None, None)) for event in intake.events]
    assert all(isinstance(event, Event) for event in read)
    assert {event.occurred_at for event in read if isinstance(event, Event)} == {NOW}
    assert intake.events[0]["labels"] == {"host": "machine-1"}
    assert [event["value"] for event in intake.events] == [12.5, 100, 20, 99]


async def test_what_another_process_recorded_is_not_recorded_again() -> None:
    """A process that takes over a lease counts from then on."""
    claims = iter([False, True])

    async def claim() -> bool:
        return next(claims)

    intake, began = Intake(), time.process_time()
    samples, recorder, _ = sampler_of(intake, claim, Host())
    while time.process_time() - began < 0.5:
        sum(range(100_000))
    assert await samples.step() == LONGEST_SECONDS
    await recorder.flush()
    assert intake.events == []
    await samples.step()
    await recorder.flush()
    (spent,) = [each for each in intake.events if each["metric"] == "process_cpu_seconds"]
    assert 0 <= spent["value"] < 0.4


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("away"),
        PermissionError("/proc"),
        RuntimeError("no btime"),
        psutil.Error(),
        asyncpg.PostgresError("no"),
    ],
)
async def test_what_cannot_be_read_is_read_later(error: Exception) -> None:
    async def fails() -> bool:
        raise error

    samples, _, _ = sampler(Intake(), fails, list)
    with capture_logs() as logged:
        assert await samples.step() == LONGEST_SECONDS
    assert [line["event"] for line in logged] == ["host_not_sampled"]


async def test_while_the_database_is_away_few_wait_and_the_rest_is_counted() -> None:
    samples, _, lost = sampler(Intake(), holds, lambda: shares(1) * 100)
    for _ in range(3):
        await samples.step()
    assert sum(lost) == 3 * 400 - MAX_WAITING


async def test_requests_do_not_wait_for_a_slow_reading() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def read() -> list[Figure]:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(ended.wait(), loop).result(timeout=10)
        return []

    samples, _, _ = sampler(Intake(), holds, read)
    step = asyncio.create_task(samples.step())
    async with asyncio.timeout(10):
        await begun.wait()  # the loop runs while the thread reads
        ended.set()
        await step


FIGURES = """query($p: [String!]!) {
  sampleStats(filter: { projects: $p }, range: { last: "PT1H" }) {
  byMetric(first: 50) { name count last } byEnvironment { name } } }"""


async def test_one_process_of_a_host_samples_it(
    monkeypatch: pytest.MonkeyPatch, database_url: str, redis_url: str
) -> None:
    """E21: samples of the host are figures like any other."""
    monkeypatch.setattr(host_samples, "SHORTEST_SECONDS", 0.05)
    monkeypatch.setattr(Pace, "after", lambda *_: LONGEST_SECONDS)
    project = f"own-{uuid4().hex[:8]}"
    monkeypatch.setattr(socket, "gethostname", lambda: f"host-{project}")
    settings = settings_for(database_url, redis_url, host_samples_project=project)
    request = {"query": FIGURES, "variables": {"p": [project]}}
    admin = as_role(Role.ADMIN)
    async with running(settings, None, **admin) as client, running(settings, None, **admin):

        async def found() -> dict[str, dict[str, Any]]:
            answer = (await client.post("/graphql", json=request)).json()
            stats = (answer.get("data") or {}).get("sampleStats") or {"byMetric": []}
            return {group["name"]: group for group in stats["byMetric"]}

        async def are_recorded() -> bool:
            return METRICS - {"process_cpu_seconds"} <= (await found()).keys()

        await eventually(are_recorded)
        groups = await found()
    assert groups["system_uptime_seconds"]["last"] > 0
    assert groups["system_uptime_seconds"]["count"] == 1


@pytest.mark.parametrize(
    ("changes", "project"),
    [
        ({}, None),
        ({"host_samples_project": "own"}, "own"),
        ({"environment": "demo"}, "gateway"),
        ({"environment": "demo", "host_samples_project": "off"}, None),
    ],
)
def test_samples_go_to_a_project(changes: dict[str, Any], project: str | None) -> None:
    assert Settings(**changes).host_samples_slug == project


def test_the_pauses_are_five_ten_and_thirty_seconds() -> None:
    assert (SHORTEST_SECONDS, BASE_SECONDS, LONGEST_SECONDS) == (5, 10, 30)
