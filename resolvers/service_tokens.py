"""Service tokens: admins create, list and revoke them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from access import service_tokens as tokens
from access.scopes import Scope
from access.viewers import Role
from resolvers.context import Context
from resolvers.pages import Connection, Listing, PageArguments, each
from resolvers.recording import UserError, invalid
from storage.admin import service_tokens as queries
from storage.admin.service_tokens import StoredToken
from storage.errors import InvalidInput, NotFound
from storage.queries.conditions import All


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
        errors = [invalid(f"input.{field}", message) for field, message in problems]
        return Created(None, None, errors)
    made = tokens.make(
        name, roles, projects, lifetime=lifetime, by=context.viewer.subject, now=context.now
    )
    async with context.transaction() as connection:
        done = await queries.add(connection, made.stored)
    if not done:
        message = f"There are already {queries.TOKENS_AT_MOST} tokens, the most allowed."
        return Created(None, None, [UserError(None, "TOO_MANY", message)])
    return Created(made.stored, made.text, [])


async def revoke(context: Context, id: str) -> StoredToken:
    """Revokes a token; returns one already revoked unchanged. Raises NotFound."""
    token_id = parse_id(id, "id")
    async with context.transaction() as connection:
        stored = await queries.revoke(connection, token_id, context.viewer.subject, context.now)
    if stored is None:
        raise NotFound(f"There is no service token {id}.", path="id")
    return stored


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
    database = context.services.database
    listing = Listing(
        "tokens:newest",
        lambda request: queries.NEWEST.find(database, All(), request),
        lambda limit: queries.NEWEST.count(database, All(), limit),
        each(StoredToken.of),
        lambda node: [node.created_at.isoformat(), str(node.token_id)],
        _position,
    )
    return await listing.page(context, Scope.everything(), page)


def _position(values: list[Any]) -> tuple[datetime, UUID]:
    created_at, token_id = values
    return datetime.fromisoformat(created_at), UUID(token_id)
