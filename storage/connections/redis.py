"""Connections to Redis."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

MAX_CONNECTIONS = 50
# Redis answers in well under a millisecond, or can be considered away.
TIMEOUT_SECONDS = 0.2


def open_redis(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Redis:
    """A client that waits for a free connection, and never retries by itself."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis.from_pool(pool)
