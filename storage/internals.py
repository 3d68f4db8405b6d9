"""The only uses of aiocache's internals, each with its reason."""

from aiocache import RedisCache
from redis.asyncio import Redis


def share_client(cache: RedisCache, redis: Redis) -> None:
    """Make the cache use the process's Redis client; aiocache has no argument for one."""
    cache.client = redis
