"""`gateway demo`: data to look at."""

from typing import Annotated

import typer


def demo(
    deployments: Annotated[int, typer.Option(help="How many deployments to invent.", min=1)] = 5000,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing where there are deployments already.")
    ] = False,
) -> None:
    """Load invented deployments, ending now, with a few incidents to find.

    They go through the same writer as real events. Needs DATABASE_URL; `gateway run` does it for
    you the first time.
    """
    import asyncio
    from datetime import UTC, datetime

    import ingest.demo
    from gateway.settings import load_settings, require

    async def load(url: str) -> None:
        if if_empty and not await ingest.demo.is_empty(url):
            return
        await ingest.demo.load(url, deployments=deployments, now=datetime.now(UTC), say=typer.echo)

    settings = load_settings(signs=False)
    require(settings, "database_url")
    asyncio.run(load(settings.database_url))
