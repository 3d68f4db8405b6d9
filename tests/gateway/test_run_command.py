"""`gateway run`: everything starts from nothing, keeps running, and stops in order."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.embedded.processes import command_line
from tests.machine import (
    Run,
    children_of,
    end,
    free_port,
    is_announced,
    is_ready,
    refused,
    start,
    stop,
)
from tests.servers import temporary_folder

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Iterator[Run]:
    run = start(folder, free_port())
    try:
        run.wait_until(lambda: is_announced(run))
        yield run
    finally:
        end(run)


def test_it_answers_and_says_where(run: Run) -> None:
    assert is_ready(run)
    assert f"{run.address}/graphql" in run.output
    assert set(run.children()) == {"Postgres", "Redis", "gateway", "worker"}


def test_demo_token_belongs_to_its_owner_alone(run: Run) -> None:
    token = run.folder / "demo-token"
    assert str(token) in run.output
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.stat().st_uid == os.getuid()
    link = f"{run.address}/graphql#token={token.read_text().strip()}"
    assert link in run.output


def test_second_run_on_the_folder_is_refused(run: Run) -> None:
    message = refused(run.folder, free_port())
    assert f"already runs on {run.folder}" in message
    assert run.address in message


def test_taken_port_is_refused_before_anything_starts(run: Run) -> None:
    with temporary_folder() as other:
        message = refused(other, run.port)
        assert f"Port {run.port} is in use" in message
        assert not (other / "postgres").exists()


@pytest.mark.parametrize("name", ["gateway", "worker", "Redis", "Postgres"])
def test_killed_child_is_started_again(run: Run, name: str) -> None:
    killed = run.children()[name]
    os.kill(killed, signal.SIGKILL)
    run.wait_until(lambda: run.children().get(name, killed) != killed and is_ready(run))
    assert f"{name} stopped" in run.output


def test_terminating_stops_everything(run: Run) -> None:
    children = run.children()
    assert stop(run) == 0
    assert not any(command_line(pid) for pid in children.values())
    assert "Everything has stopped" in run.output


def test_killed_run_leaves_nothing_and_the_next_one_heals(folder: Path, run: Run) -> None:
    first = start(folder, run.port)
    first.wait_until(lambda: is_announced(first))
    children = first.children()
    stop(first, signal.SIGKILL)
    second = start(folder, run.port)
    try:
        second.wait_until(lambda: is_announced(second))
        assert not any(
            command_line(pid) for pid in children.values() if pid not in second.children().values()
        )
        assert stop(second, signal.SIGINT) == 0
    finally:
        end(second)


def test_signal_during_the_start_stops_what_has_started(folder: Path, run: Run) -> None:
    early = start(folder, run.port)
    try:
        early.wait_until(lambda: "Redis: started" in early.output)
        assert stop(early) == 0
        assert children_of(early.process.pid) == []
        assert not is_ready(early)
    finally:
        end(early)
