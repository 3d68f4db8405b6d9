"""Service tokens: admins create, list and revoke them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from access import service_tokens as tokens
from access.viewers import Role
from resolvers.context import Context
from resolvers.pages import Connection, PageArguments, table_page
from resolvers.user_errors import InputCode, UserError, too_many, wrong
from storage.admin import service_tokens as queries
from storage.admin.service_tokens import StoredToken
from storage.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Created:
    """The stored token and its text, which is returned only once, or the errors."""

    service_token: StoredToken | None
    token: str | None
    user_errors: list[UserError]


async def create(
    context: Context, name: str, roles: Sequence[Role], projects: Sequence[str], days: int
) -> Created:
    lifetime = timedelta(days=min(max(days, -1), 100_000))
    if problems := tokens.problems(name, roles, projects, lifetime):
        errors = [wrong(field, message) for field, message in problems]
        return Created(None, None, errors)
    made = tokens.make(
        name, roles, projects, lifetime=lifetime, by=context.viewer.subject, now=context.now
    )
    async with context.transaction() as connection:
        done = await queries.add(connection, made.stored)
    if not done:
        message = f"There are already {queries.TOKENS_AT_MOST} tokens, the most allowed."
        return Created(None, None, [too_many(message)])
    return Created(made.stored, made.text, [])


@dataclass(frozen=True, slots=True)
class Revoked:
    """The revoked token, or the errors."""

    service_token: StoredToken | None
    user_errors: list[UserError]


async def revoke(context: Context, id: str) -> Revoked:
    """Revokes a token; returns one already revoked unchanged."""
    try:
        token_id = parse_id(id, "id")
    except InvalidInput as error:
        return Revoked(None, [wrong("id", error.message)])
    async with context.transaction() as connection:
        stored = await queries.revoke(connection, token_id, context.viewer.subject, context.now)
    if stored is None:
        message = f"There is no service token {id}."
        return Revoked(None, [wrong("id", message, InputCode.NOT_FOUND)])
    return Revoked(stored, [])


def parse_id(text: str, path: str) -> UUID:
    """Returns the id of a token; raises InvalidInput for the argument at `path`."""
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(
            "A token's id is a UUID, such as serviceTokens returns.", path=path
        ) from None


async def service_tokens(context: Context, page: PageArguments) -> Connection[StoredToken]:
    """Returns a page of all tokens, newest first."""
    return await table_page(context, page, queries.NEWEST, StoredToken.of)
