"""`gateway schema`: prints the API in the schema language, or a page of the docs made from it."""

from typing import Annotated, Literal

import typer


def schema(
    page: Annotated[
        Literal["permissions", "costs"] | None,
        typer.Option(help="Print this page of docs/ instead."),
    ] = None,
) -> None:
    """Print the GraphQL schema (`make schema` keeps it in schema.graphql)."""
    from gateway.cli import costs_page, permissions_page
    from schema import schema as api

    match page:
        case "permissions":
            typer.echo(permissions_page.page(api), nl=False)
        case "costs":
            typer.echo(costs_page.page(api), nl=False)
        case None:
            typer.echo(api.as_str())
