"""`gateway worker`: work in the background."""

from gateway.config.settings import load_settings, require, with_secret


def worker() -> None:
    """Create partitions ahead, drop data past its retention and purge the change feed.

    Any number of workers may run: a lease in the database gives each job to one of them at a time.
    Needs DATABASE_URL, REDIS_URL and the JWT_SECRET of `gateway serve`.
    SIGTERM ends it after the current step.
    """
    from gateway.processes.worker import run

    settings = load_settings(signs=False)
    require(settings, "database_url", "redis_url")
    run(with_secret(settings))
