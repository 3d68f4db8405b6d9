"""The servers and databases the tests run on: real ones, fresh, and gone afterwards."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
from sqlalchemy.engine import make_url

from gateway.config import migrations
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.processes import running


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder with a short path, which unix sockets need and pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="gw-"))
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
