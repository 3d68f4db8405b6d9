"""Provisioning: admins make projects, networks and templates known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resolvers.context import Context
from resolvers.networks import Network
from resolvers.projects import Project
from resolvers.recording import UserError
from resolvers.templates import Template
from storage import dimensions
from storage.names import MAX_NAME_LENGTH, wrong_name
from storage.queries import networks, projects, templates

MAX_TEXT_LENGTH = 2000
MAX_TAGS = 50
MAX_CHAIN_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The thing as it now is, or what stands in the way."""

    node: Any | None
    user_errors: list[UserError]


async def upsert_project(context: Context, slug: str, name: str | None) -> Provisioned:
    slug = slug.strip()
    if errors := [*_project_errors(slug), *_text_errors("name", name, MAX_NAME_LENGTH)]:
        return Provisioned(None, errors)
    database = context.services.database
    async with context.transaction() as connection:
        key = await dimensions.upsert_project(connection, slug, name)
    context.forget_loaded()
    rows = await projects.by_ids(database, context.scope, [key])
    return Provisioned(Project.of(rows[key]), [])


async def upsert_network(
    context: Context, name: str, title: str | None, chain_id: str | None
) -> Provisioned:
    errors = [
        *_slug_errors("name", name),
        *_text_errors("title", title, MAX_NAME_LENGTH),
        *_chain_errors(chain_id),
    ]
    if errors:
        return Provisioned(None, errors)
    number = None if chain_id is None else int(chain_id)
    database = context.services.database
    async with context.transaction() as connection:
        key = await dimensions.upsert_network(connection, name, title, number)
    context.forget_loaded()
    return Provisioned(Network.of((await networks.by_ids(database, [key]))[key]), [])


async def upsert_template(context: Context, template: dimensions.TemplateFields) -> Provisioned:
    errors = [
        *_slug_errors("slug", template.slug),
        *_text_errors("name", template.name, MAX_NAME_LENGTH),
        *_text_errors("description", template.description, MAX_TEXT_LENGTH),
        *_text_errors("category", template.category, MAX_NAME_LENGTH),
        *_tag_errors(template.tags or ()),
    ]
    if errors:
        return Provisioned(None, errors)
    database = context.services.database
    async with context.transaction() as connection:
        key = await dimensions.upsert_template(connection, template)
    context.forget_loaded()
    return Provisioned(Template.of((await templates.by_ids(database, [key]))[key]), [])


def _project_errors(slug: str) -> list[UserError]:
    """The rule is that of events, which may name a project before anybody provisions it."""
    if not slug:
        return [UserError("slug", "INVALID_VALUE", f"Between 1 and {MAX_NAME_LENGTH} characters.")]
    if wrong := wrong_name(slug):
        code, message = wrong
        return [UserError("slug", code, f"The slug {message}.")]
    return []


def _slug_errors(field: str, value: str) -> list[UserError]:
    if value == dimensions.OTHER_NAME:
        return [UserError(field, "RESERVED", f"{value!r} is kept for what is not known.")]
    if dimensions.is_slug(value):
        return []
    message = "Up to 100 lower-case letters, digits, dots, dashes and underscores, none in front."
    return [UserError(field, "INVALID_VALUE", message)]


def _text_errors(field: str, value: str | None, most: int) -> list[UserError]:
    if value is None:
        return []
    if not value.strip() or len(value) > most:
        return [UserError(field, "INVALID_VALUE", f"Between 1 and {most} characters.")]
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value):
        return [UserError(field, "INVALID_TEXT", "Holds characters no text can hold.")]
    return []


def _tag_errors(tags: tuple[str, ...]) -> list[UserError]:
    if len(tags) > MAX_TAGS:
        return [UserError("tags", "TOO_MANY", f"At most {MAX_TAGS} tags.")]
    return [error for tag in tags for error in _text_errors("tags", tag, 100)]


def _chain_errors(chain_id: str | None) -> list[UserError]:
    digits = chain_id is None or (chain_id.isascii() and chain_id.isdigit() and len(chain_id) <= 19)
    if digits and (chain_id is None or int(chain_id) <= MAX_CHAIN_ID):
        return []
    return [UserError("chainId", "INVALID_VALUE", "A whole number below 2^63, in digits.")]
