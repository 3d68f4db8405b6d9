"""`gateway schema`: the API in the schema language, and who may ask for what."""

from typing import Annotated

import typer


def schema(
    permissions: Annotated[
        bool, typer.Option("--permissions", help="Print docs/permissions.md instead.")
    ] = False,
) -> None:
    """Print the GraphQL schema (`make schema` keeps it in schema.graphql)."""
    from gateway.cli.permissions_page import page
    from schema import schema as api

    typer.echo(page(api) if permissions else api.as_str(), nl=not permissions)
