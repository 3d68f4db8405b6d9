"""`gateway run`: everything starts from nothing, keeps running, and stops in order."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.embedded.processes import command_line
from tests.servers import temporary_folder

pytestmark = pytest.mark.process

SECONDS = 60.0
OWN_VARIABLES = ("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "GATEWAY_ENV", "DATA_DIR", "PORT")


@dataclass
class Run:
    """A running command and what it has printed."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int
    printed: Path

    @property
    def output(self) -> str:
        return self.printed.read_text(encoding="utf-8")

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def children(self) -> dict[str, int]:
        """Process ids by what they are."""
        words = {
            "Postgres": "bin/postgres",
            "Redis": "redis",
            "gateway": "gateway serve",
            "worker": "gateway worker",
        }
        return {
            name: pid
            for pid in children_of(self.process.pid)
            for name, word in words.items()
            if word in command_line(pid)
        }

    def wait_until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not holds():
            assert self.process.poll() is None, f"it has stopped:\n{self.output}"
            assert time.monotonic() < deadline, f"waited in vain:\n{self.output}"
            time.sleep(0.05)


def children_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text()
        except OSError:
            continue  # it ended meanwhile
        state, parent_pid = text.rpartition(")")[2].split()[:2]
        if int(parent_pid) == parent and state != "Z":
            found.append(int(entry.parent.name))
    return found


def command(folder: Path, port: int) -> list[str]:
    options = ["--port", str(port), "--data-dir", str(folder), "--no-demo-data", "--no-graphiql"]
    return [sys.executable, "-m", "gateway", "run", *options]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}


def start(folder: Path, port: int) -> Run:
    printed = folder / f"printed-{time.monotonic_ns()}"
    with printed.open("wb") as output:
        process = subprocess.Popen(
            command(folder, port), stdout=output, stderr=output, env=environment()
        )
    return Run(process, folder, port, printed)


def refused(folder: Path, port: int) -> str:
    """What a run that cannot start says."""
    done = subprocess.run(
        command(folder, port),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env=environment(),
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def is_ready(run: Run) -> bool:
    try:
        with urllib.request.urlopen(f"{run.address}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def is_told(run: Run) -> bool:
    return "Ctrl-C stops everything" in run.output


def stop(run: Run, number: signal.Signals = signal.SIGTERM) -> int:
    run.process.send_signal(number)
    return run.process.wait(timeout=SECONDS)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with temporary_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Iterator[Run]:
    run = start(folder, free_port())
    try:
        run.wait_until(lambda: is_told(run))
        yield run
    finally:
        run.process.kill()
        run.process.wait()


def test_it_answers_and_says_where(run: Run) -> None:
    assert is_ready(run)
    assert f"{run.address}/graphql" in run.output
    assert set(run.children()) == {"Postgres", "Redis", "gateway", "worker"}


def test_demo_token_belongs_to_its_owner_alone(run: Run) -> None:
    token = run.folder / "demo-token"
    assert str(token) in run.output
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.stat().st_uid == os.getuid()
    assert token.read_text().strip() not in run.output


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
    first.wait_until(lambda: is_told(first))
    children = first.children()
    stop(first, signal.SIGKILL)
    second = start(folder, run.port)
    try:
        second.wait_until(lambda: is_told(second))
        assert not any(
            command_line(pid) for pid in children.values() if pid not in second.children().values()
        )
        assert stop(second, signal.SIGINT) == 0
    finally:
        second.process.kill()
        second.process.wait()


def test_signal_during_the_start_stops_what_has_started(folder: Path, run: Run) -> None:
    early = start(folder, run.port)
    early.wait_until(lambda: "Redis: started" in early.output)
    assert stop(early) == 0
    assert children_of(early.process.pid) == []
    assert not is_ready(early)
