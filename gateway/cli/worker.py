"""`gateway worker`: the side that works without being asked."""


def worker() -> None:
    """Keep house: create partitions ahead, enforce retention, purge the change feed.

    Any number may run; each job is done by one of them at a time, by a lease in the database.
    Needs DATABASE_URL and REDIS_URL. SIGTERM ends it after the step at hand.
    """
    from gateway.config.settings import load_settings, require
    from gateway.processes.worker import run

    settings = load_settings(signs=False)
    require(settings, "database_url", "redis_url")
    run(settings)
