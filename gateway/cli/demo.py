"""`gateway demo`: data to look at."""

from typing import Annotated

import typer


def demo(
    deployments: Annotated[
        int, typer.Option(help="About how many deployments to invent.", min=1)
    ] = 10_000,
    seed: Annotated[int, typer.Option(help="Other numbers tell it otherwise.")] = 1088,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing where there are deployments already.")
    ] = False,
) -> None:
    """Load sixty days of invented deployments, up to now, with incidents to find.

    They go through the same writer as real events; docs/demo.md says what is planted and which
    query shows it. Needs DATABASE_URL; `gateway run` does it for you the first time.
    """
    import asyncio
    from datetime import UTC, datetime

    import ingest.demo
    from gateway.cli.auditing import audited
    from gateway.config.retention import retention
    from gateway.config.settings import load_settings, require
    from ingest.bulk import Target

    settings = load_settings(signs=False)
    require(settings, "database_url")
    target = Target(settings.database_url, datetime.now(UTC), retention(settings))

    async def load() -> None:
        if if_empty and not await ingest.demo.is_empty(target):
            return
        await ingest.demo.load(target, deployments=deployments, seed=seed, say=typer.echo)

    with audited(settings.database_url, "demo", deployments=deployments, seed=seed):
        asyncio.run(load())
