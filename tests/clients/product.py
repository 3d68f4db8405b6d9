"""The whole product as `make run` starts it, with its demo data, and what its database holds."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from gateway.embedded.postgres import DATABASE, PORT
from gateway.embedded.processes import Child, running
from storage.facts.lifecycle import EventType, Status
from tests.machine import OWN_VARIABLES, free_port
from tests.patience import wait_for
from tests.servers import temporary_folder

ROOT = Path(__file__).parent.parent.parent
# Of the demo's projects the one that deploys no more, so that its figures stand still.
PROJECT = "legacy-portal"
EVENTS = 3  # as many of a deployment as operations.graphql asks for
MAKES_OWN = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")


@dataclass(frozen=True, slots=True)
class Expected:
    """What the demo's database says of the project, in plain SQL."""

    deployments: int
    succeeded: int
    newest: str
    newest_events: set[str]


@dataclass(frozen=True, slots=True)
class Product:
    """Where it answers, and who asks."""

    url: str
    token: str
    database_url: str

    @property
    def variables(self) -> dict[str, str]:
        return {
            "GATEWAY_URL": self.url,
            "GATEWAY_TOKEN": self.token,
            "GATEWAY_PROJECT": PROJECT,
        }


@contextmanager
def made_run() -> Iterator[Product]:
    """`make run` on a free port and a folder of its own, until it says that it is ready."""
    with temporary_folder() as folder, running(_child(folder, port := free_port())) as run:
        _wait(run, folder / "printed")
        token = (folder / "demo-token").read_text(encoding="ascii").strip()
        sockets = folder / "sockets" / "postgres"
        database_url = f"postgresql://postgres@/{DATABASE}?host={sockets}&port={PORT}"
        yield Product(f"http://localhost:{port}", token, database_url)
        # A stop in order ends well; one that does not is seen here, and cleaned up all the same.
        run.stop()
        assert "Everything has stopped" in (folder / "printed").read_text(encoding="utf-8")


def _child(folder: Path, port: int) -> Child:
    arguments = ["make", "-C", str(ROOT), "run", f"PORT={port}", f"DATA_DIR={folder}"]
    return Child(
        "make run",
        arguments,
        folder / "printed",
        environment={name: "" for name in (*OWN_VARIABLES, *MAKES_OWN) if name in os.environ},
        with_descendants=True,
    )


def _wait(run: Child, printed: Path) -> None:
    def is_announced() -> bool:
        return "Ctrl-C stops everything" in printed.read_text(encoding="utf-8")

    wait_for(is_announced, printed, run.require_running)


async def expected(database_url: str) -> Expected:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "select external_id, deployment_id, project_id, status from deployments"
            " join projects using (project_id) where slug = $1"
            " order by deployments.created_at desc",
            PROJECT,
        )
        newest = rows[0]["project_id"], rows[0]["deployment_id"]
        types = await connection.fetch(
            "select type from deployment_events where project_id = $1 and deployment_id = $2"
            f" order by occurred_at desc, type desc, event_id desc limit {EVENTS}",
            *newest,
        )
    finally:
        await connection.close()
    succeeded = sum(row["status"] == Status.SUCCEEDED for row in rows)
    events = {EventType(row["type"]).name for row in types}
    return Expected(len(rows), succeeded, rows[0]["external_id"], events)
