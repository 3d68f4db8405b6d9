"""One connection for a command's work: to DATABASE_URL, else to what `gateway run` has started."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from gateway.config.settings import load_settings, require
from gateway.embedded.address import running_postgres
from storage.connections.database import Database

Result = TypeVar("Result")


def with_connection(work: Callable[[Any], Awaitable[Result]]) -> Result:
    settings = load_settings(signs=False)
    database_url = settings.database_url or running_postgres(settings.data_dir.resolve())
    if not database_url:
        require(settings, "database_url")

    async def run() -> Result:
        database = await Database.open(str(database_url), pool_size=1)
        try:
            async with database.connection() as connection:
                return await work(connection)
        finally:
            await database.close()

    return asyncio.run(run())
