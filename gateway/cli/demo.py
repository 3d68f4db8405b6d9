"""`gateway demo`: invented data to look at."""

from typing import Annotated

import typer

from gateway.cli.connection import database_settings


def demo(
    deployments: Annotated[
        int, typer.Option(help="About how many deployments to invent.", min=1)
    ] = 10_000,
    seed: Annotated[
        int, typer.Option(help="Seed of the random numbers: another one gives other data.")
    ] = 1088,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing if the database has deployments.")
    ] = False,
) -> None:
    """Load sixty days of invented deployments, up to now, with incidents to find.

    They are written as real events are. docs/demo.md lists the incidents and the queries that
    show them. Needs DATABASE_URL; `gateway run` loads the same data the first time.
    """
    import asyncio
    from datetime import UTC, datetime

    import ingest.demo
    from gateway.cli.auditing import audited
    from gateway.cli.demo_alerts import add_rules, keep_channels
    from gateway.config.retention import retention
    from ingest.bulk import Target

    settings = database_settings()
    target = Target(settings.database_url, datetime.now(UTC), retention(settings))

    async def load() -> None:
        await keep_channels(settings)
        if if_empty and not await ingest.demo.is_empty(target):
            return
        await ingest.demo.load(target, deployments=deployments, seed=seed, say=typer.echo)
        await add_rules(settings)

    with audited(settings.database_url, "demo", deployments=deployments, seed=seed):
        asyncio.run(load())
