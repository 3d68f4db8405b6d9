"""The `gateway` command with its subcommands, in the order of their first use."""

import gc
import sys

import typer

from gateway.cli import (
    alerts,
    demo,
    documents,
    erase,
    imports,
    logs,
    migrate,
    rollup,
    run,
    schema,
    serve,
    token,
    verdict,
    worker,
)
from gateway.config.settings import SettingsError
from gateway.embedded.processes import EmbeddedServerError
from storage.errors import GatewayError

HELP = """
GraphQL analytics for deployments.

**On your machine**: `gateway run` starts everything, with its own servers and demo data.

**In production**: `gateway migrate` once per release, then any number of `gateway serve`
and `gateway worker`, on the same DATABASE_URL and REDIS_URL.

Settings are environment variables; docs/settings.md lists them.
"""

app = typer.Typer(
    name="gateway",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(run.run)
app.command()(serve.serve)
app.command()(worker.worker)
app.command()(migrate.migrate)
app.command("import")(imports.import_)
app.command()(demo.demo)
app.add_typer(rollup.app, name="rollup")
app.add_typer(documents.app, name="documents")
app.add_typer(token.app, name="token")
app.add_typer(alerts.app, name="alerts")
app.command()(verdict.verdict)
app.command()(logs.logs)
app.command()(erase.erase)
app.command()(schema.schema)


def main() -> None:
    """Run the command; errors the user can fix are printed as a sentence, without a traceback."""
    # Garbage is collected a tenth as often. Imports and responses are thousands of objects without
    # cycles: this saves half a second of a start, and then a tenth of the processor's time.
    gc.set_threshold(10_000, 20, 50)
    try:
        app()
    except (SettingsError, EmbeddedServerError, GatewayError, OSError) as error:
        sys.exit(f"{error}")
