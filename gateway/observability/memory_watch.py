"""Samples the memory of this process's Postgres backends for /metrics."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from storage.connections.backend_memory import backend_memory_bytes
from storage.connections.database import Database
from storage.errors import GatewayError

SAMPLED_SECONDS = 30.0


async def watch_backend_memory(database: Database, on_sample: Callable[[int], None]) -> None:
    """Sample every SAMPLED_SECONDS; returns only if the database role may not read it."""
    while True:
        with suppress(GatewayError, OSError):
            sample = await backend_memory_bytes(database)
            if sample is None:
                return
            on_sample(sample)
        await asyncio.sleep(SAMPLED_SECONDS)
