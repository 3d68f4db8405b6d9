"""`gateway schema`: prints the API in the schema language, or a page of the docs made from it."""

from enum import StrEnum
from typing import Annotated

import typer


class DocsPage(StrEnum):
    PERMISSIONS = "permissions"
    COSTS = "costs"


def schema(
    page: Annotated[DocsPage | None, typer.Option(help="Print docs/PAGE.md instead.")] = None,
) -> None:
    """Print the GraphQL schema (`make schema` keeps it in schema.graphql)."""
    from gateway.cli import costs_page, permissions_page
    from schema import schema as api

    match page:
        case DocsPage.PERMISSIONS:
            typer.echo(permissions_page.page(api), nl=False)
        case DocsPage.COSTS:
            typer.echo(costs_page.page(api), nl=False)
        case None:
            typer.echo(api.as_str())
