"""`gateway serve`: the HTTP server."""

from typing import Annotated

import typer

from gateway.config.settings import load_settings, require

Port = Annotated[int | None, typer.Option(help="Port to listen on [PORT, 8000].")]
Host = Annotated[str | None, typer.Option(help="Address to listen on [HOST, 127.0.0.1].")]


def serve(port: Port = None, host: Host = None) -> None:
    """Serve HTTP: GraphQL, event intake, health and metrics.

    It holds no state, so any number may run behind a load balancer. Needs DATABASE_URL, REDIS_URL
    and, in production (GATEWAY_ENV, the default), a strong JWT_SECRET. The database must be
    migrated (`gateway migrate`). SIGTERM finishes the requests in flight, then exits.
    """
    settings = load_settings(port=port, host=host)
    require(settings, "database_url", "redis_url")

    from gateway.processes.server import serve as run

    run(settings)
