"""`gateway run`: everything on one machine."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.serve import Host, Port
from gateway.config.settings import load_settings


def run(
    port: Port = None,
    host: Host = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder for data, logs and the demo token [DATA_DIR].")
    ] = None,
    demo_data: Annotated[bool, typer.Option(help="Load demo data into an empty database.")] = True,
    graphiql: Annotated[
        bool,
        typer.Option(help="Build the pages if a source has changed (needs npm's registry)."),
    ] = True,
) -> None:
    """Start everything: Postgres, Redis, migrations, demo data, gateway and worker.

    Nothing needs to be installed: Postgres and Redis are started on the data folder, unless
    DATABASE_URL or REDIS_URL name other servers. An admin token for the demo is written to the
    file `demo-token` in the data folder. Ctrl-C stops everything in order.

    Example: gateway run --port 8123 --data-dir some/folder --no-demo-data
    """
    from gateway.processes.runner import run_everything

    settings = load_settings(
        default_environment="demo", signs=False, port=port, host=host, data_dir=data_dir
    )
    raise typer.Exit(run_everything(settings, demo_data=demo_data, graphiql=graphiql))
