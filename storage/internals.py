"""What aiocache does not promise to keep: each name is used here alone, for the reason given."""

from aiocache import RedisCache
from redis.asyncio import Redis


def share_client(cache: RedisCache, redis: Redis) -> None:
    """aiocache connects by itself and takes no client: this makes it use the process's own."""
    cache.client = redis
