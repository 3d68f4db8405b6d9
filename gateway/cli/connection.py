"""One connection to DATABASE_URL for a command's work."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from gateway.settings import load_settings, require
from storage.database import Database

Result = TypeVar("Result")


def with_connection(work: Callable[[Any], Awaitable[Result]]) -> Result:
    settings = load_settings(signs=False)
    require(settings, "database_url")

    async def run() -> Result:
        database = await Database.open(settings.database_url, pool_size=1)
        try:
            async with database.connection() as connection:
                return await work(connection)
        finally:
            await database.close()

    return asyncio.run(run())
