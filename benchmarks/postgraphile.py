"""Installs PostGraphile 5 with its aggregates by npm, and runs it beside the gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from benchmarks.npm import NODE
from benchmarks.processes import free_port
from benchmarks.stage import Stage
from gateway.embedded.processes import Child, running

FOLDER = Path(__file__).with_name("peers")


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
        [NODE, str(FOLDER / "server.mjs"), str(port), stage.url],
        stage.folder / "logs" / f"postgraphile-{port}.log",
        environment={"NODE_ENV": "production", "GRAPHILE_ENV": "production"},
    )
    with running(child):
        yield child, port
