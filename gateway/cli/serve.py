"""`gateway serve`: the HTTP side."""

from typing import Annotated

import typer


def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on [PORT, 8000].")] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on [HOST, 127.0.0.1].")
    ] = None,
) -> None:
    """Answer HTTP: GraphQL, events in, health and metrics.

    Stateless: run as many as you need behind one address. Needs DATABASE_URL, REDIS_URL and, in
    production (GATEWAY_ENV, the default), a strong JWT_SECRET. The database must be migrated
    (`gateway migrate`). SIGTERM finishes requests in flight, then exits.
    """
    from gateway.config.settings import load_settings, require

    settings = load_settings(port=port, host=host)
    require(settings, "database_url", "redis_url")

    from gateway.processes.server import serve as run

    run(settings)
