"""`gateway schema`: the API in the schema language."""

import typer


def schema() -> None:
    """Print the GraphQL schema (`make schema` keeps it in schema.graphql)."""
    from schema import schema as api

    typer.echo(api.as_str())
