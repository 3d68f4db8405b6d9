"""A backend's memory is returned to roles that may see it."""

import asyncpg
from sqlalchemy.engine import make_url

from storage.connections.backend_memory import backend_memory_bytes
from storage.connections.database import Database


async def test_memory_of_the_backend_is_told(own_database: Database) -> None:
    size_bytes = await backend_memory_bytes(own_database)
    assert size_bytes is not None
    assert 500_000 < size_bytes < 200_000_000


async def test_role_that_may_not_look_is_told_nothing(own_database_url: str) -> None:
    connection = await asyncpg.connect(own_database_url)
    await connection.execute("create role nobody_special login")
    try:
        url = make_url(own_database_url).set(username="nobody_special")
        database = await Database.open(url.render_as_string(hide_password=False))
        assert await backend_memory_bytes(database) is None
        await database.close()
    finally:
        await connection.execute("drop role nobody_special")
        await connection.close()
