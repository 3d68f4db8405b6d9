"""The servers and databases the tests run on: real ones, fresh, and gone afterwards."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import psutil
from sqlalchemy.engine import make_url

from gateway.config import migrations
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.processes import running

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 6 * 2**30  # what the servers of all processes of a run hold at most, and more


def roomy_memory(memory: Path = MEMORY, least_bytes: int = MEMORY_BYTES) -> Path | None:
    """A file system in memory with room for servers and their programs; None where there is none.

    A database is a thousand files. To make and remove hundreds of them takes ext4 ten times as
    long, since it looks at all files removed in the last minutes before it makes one.
    """
    if not memory.is_dir() or "TMPDIR" in os.environ:
        return None
    found = os.statvfs(memory)
    free_bytes = min(found.f_bavail * found.f_frsize, psutil.virtual_memory().available)
    return memory if free_bytes >= least_bytes and not found.f_flag & os.ST_NOEXEC else None


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder with a short path, which unix sockets need and pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="gw-", dir=roomy_memory()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def throw_away_postgres() -> Iterator[str]:
    """The address of a fresh embedded server."""
    with (
        temporary_folder() as folder,
        running(EmbeddedPostgres(folder, lambda _line: None, throw_away=True)) as server,
    ):
        yield server.url("postgres")


def with_options(url: str, **options: str) -> str:
    """The address with more options behind its question mark."""
    changed = make_url(url).update_query_dict(options)
    return changed.render_as_string(hide_password=False)


@dataclass(frozen=True, slots=True)
class Databases:
    """Makes databases on one server, each a copy of a migrated template."""

    server_url: str
    template: str

    @classmethod
    def on(cls, server_url: str) -> "Databases":
        databases = cls(server_url, f"template_{uuid4().hex[:12]}")
        databases.execute(f"create database {databases.template}")
        migrations.upgrade(databases.url(databases.template))
        return databases

    def url(self, name: str) -> str:
        return make_url(self.server_url).set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def fresh(self, *, empty: bool = False) -> Iterator[str]:
        """The address of a new database, migrated unless it is to be empty."""
        name = f"test_{uuid4().hex[:12]}"
        template = "template0" if empty else self.template
        # Copied as files: half the work of writing each page to the log, as is the default.
        self.execute(f"create database {name} template {template} strategy file_copy")
        try:
            yield self.url(name)
        finally:
            self.execute(f"drop database {name} with (force)")

    def remove_template(self) -> None:
        self.execute(f"drop database {self.template} with (force)")

    def execute(self, statement: str) -> None:
        asyncio.run(self._execute(statement))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.server_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
