"""`gateway token`: service tokens, the credentials of programs."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from access.viewers import Role
from gateway.cli.connection import fail, with_connection

app = typer.Typer(help="Create, list and revoke service tokens.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    role: Annotated[
        list[Role], typer.Option(help="viewer, ingest or maintainer; may be repeated.")
    ],
    project: Annotated[list[str], typer.Option(help="A project's slug; may be repeated.")],
    days: Annotated[int, typer.Option(help="Days until the token expires.")] = 90,
    json: Json = False,
) -> None:
    """Create a token and print it; it cannot be shown again.

    Example: gateway token create ci --role ingest --project shop --days 30
    """
    from access import service_tokens as tokens
    from gateway.cli.auditing import record, user
    from storage.admin import service_tokens as table
    from storage.admin.audit import OK

    lifetime = timedelta(days=min(max(days, -1), 100_000))
    if problems := tokens.problems(name, role, project, lifetime):
        fail("\n".join(f"{field}: {message}" for field, message in problems))
    now = datetime.now(UTC)
    token = tokens.make(name, role, project, lifetime=lifetime, by=f"cli:{user()}", now=now)

    async def work(connection: Any) -> bool:
        async with connection.transaction():
            details = {"name": name, "roles": list(token.stored.roles), "projects": project}
            done = await table.add(connection, token.stored)
            outcome = OK if done else "TOO_MANY"
            await record(connection, "token.create", details, outcome)
        return done

    if not with_connection(work):
        fail(f"There are {table.TOKENS_AT_MOST} tokens already, which is the limit.")
    if json:
        _print_json({"id": str(token.stored.token_id), "token": token.text})
    else:
        typer.echo(token.text)
        expiry = f"{token.stored.expires_at:%Y-%m-%d}"
        typer.echo(f"It expires on {expiry} and is not shown again.", err=True)


@app.command("list")
def list_(json: Json = False) -> None:
    """List tokens, the newest first, without their secrets."""
    from storage.admin import service_tokens as table

    for token in with_connection(table.find_all):
        if json:
            _print_json(_fields(token))
        else:
            state = "revoked" if token.revoked_at else f"until {token.expires_at:%Y-%m-%d}"
            used = f"used {token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "unused"
            scope = f"{','.join(token.roles)} of {','.join(token.project_slugs)}"
            typer.echo(f"{token.token_id}  {state}, {used}  {token.name}: {scope}")


@app.command()
def revoke(
    id: Annotated[UUID, typer.Argument(help="The token's id from `gateway token list`.")],
) -> None:
    """Revoke a token; every gateway refuses it within five seconds."""
    from gateway.cli.auditing import record, user
    from storage.admin import service_tokens as table
    from storage.admin.audit import OK
    from storage.errors import NotFound

    now = datetime.now(UTC)

    async def work(connection: Any) -> object:
        async with connection.transaction():
            revoked = await table.revoke(connection, id, f"cli:{user()}", now)
            outcome = NotFound.code if revoked is None else OK
            await record(connection, "token.revoke", {"id": str(id)}, outcome)
        return revoked

    if with_connection(work) is None:
        fail(f"There is no service token {id}.")
    typer.echo(f"{id} is revoked.")


def _fields(token: Any) -> dict[str, Any]:
    """A token's fields as `--json` prints them."""
    return {
        "id": str(token.token_id),
        "name": token.name,
        "roles": token.roles,
        "projects": token.project_slugs,
        "createdBy": token.created_by,
        "createdAt": token.created_at,
        "expiresAt": token.expires_at,
        "revokedAt": token.revoked_at,
        "lastUsedAt": token.last_used_at,
    }


def _print_json(value: Any) -> None:
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_UTC_Z).decode())
