"""Runs the whole product as a user does: `gateway run`, its child processes and its output."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.embedded.postgres import DATABASE, PORT
from gateway.embedded.processes import command_line
from tests.patience import HANGS_SECONDS, wait_for

OWN_VARIABLES = ("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "GATEWAY_ENV", "DATA_DIR", "PORT")


@dataclass
class Run:
    """A running `gateway run`; `printed` is the file that takes its output."""

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

    @property
    def database_url(self) -> str:
        sockets = self.folder / "sockets" / "postgres"
        return f"postgresql://postgres@/{DATABASE}?host={sockets}&port={PORT}"

    def children(self) -> dict[str, int]:
        """Process ids by name: Postgres, Redis, gateway, worker."""
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
        wait_for(holds, self.printed, self._require_running)

    def _require_running(self) -> None:
        assert self.process.poll() is None, f"the process has stopped:\n{self.output}"


def children_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text()
        except OSError:
            continue  # the process ended meanwhile
        state, parent_pid = text.rpartition(")")[2].split()[:2]
        if int(parent_pid) == parent and state != "Z":
            found.append(int(entry.parent.name))
    return found


def command(folder: Path, port: int, *options: str) -> list[str]:
    """The command, without demo data and GraphiQL unless the options ask for them."""
    usual = ["--port", str(port), "--data-dir", str(folder), "--no-demo-data", "--no-graphiql"]
    return [sys.executable, "-m", "gateway", "run", *usual, *options]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}


def start(folder: Path, port: int, *options: str, **variables: str) -> Run:
    printed = folder / f"printed-{time.monotonic_ns()}"
    with printed.open("wb") as output:
        process = subprocess.Popen(
            command(folder, port, *options),
            stdout=output,
            stderr=output,
            env=environment() | variables,
        )
    return Run(process, folder, port, printed)


def refused(folder: Path, port: int) -> str:
    """The error output of a run that cannot start."""
    done = subprocess.run(
        command(folder, port),
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS_SECONDS,
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


def is_announced(run: Run) -> bool:
    """Whether the command has printed that everything is up."""
    return "Ctrl-C stops everything" in run.output


def stop(run: Run, number: signal.Signals = signal.SIGTERM) -> int:
    run.process.send_signal(number)
    return run.process.wait(timeout=HANGS_SECONDS)


def end(run: Run) -> None:
    """Stops what still runs after a failure, with its servers, so that their files can go."""
    if run.process.poll() is None:
        try:
            stop(run)
        finally:
            run.process.kill()
            run.process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
