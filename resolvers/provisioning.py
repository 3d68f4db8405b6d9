"""Provisioning: admins create and update projects, networks and templates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest.events import Code
from resolvers.context import Context
from resolvers.provisioned import Network, Project, Template, by_id
from resolvers.user_errors import InputCode, UserError, wrong
from storage import dictionaries
from storage.names import MAX_NAME_LENGTH, OTHER_NAME, can_be_stored, is_slug, wrong_name

MAX_TEXT_LENGTH = 2000
MAX_TAGS = 50
MAX_CHAIN_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The stored node, or the errors in the input."""

    node: Any | None
    user_errors: list[UserError]


async def upsert_project(context: Context, slug: str, name: str | None) -> Provisioned:
    slug = slug.strip()
    if errors := [*_project_errors(slug), *_text_errors("name", name, MAX_NAME_LENGTH)]:
        return Provisioned(None, errors)
    async with context.transaction() as connection:
        project_id = await dictionaries.upsert_project(connection, slug, name)
    context.forget_loaded()
    return Provisioned(await by_id(context, Project, project_id), [])


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
    async with context.transaction() as connection:
        network_id = await dictionaries.upsert_network(connection, name, title, number)
    context.forget_loaded()
    return Provisioned(await by_id(context, Network, network_id), [])


async def upsert_template(context: Context, template: dictionaries.TemplateFields) -> Provisioned:
    errors = [
        *_slug_errors("slug", template.slug),
        *_text_errors("name", template.name, MAX_NAME_LENGTH),
        *_text_errors("description", template.description, MAX_TEXT_LENGTH),
        *_text_errors("category", template.category, MAX_NAME_LENGTH),
        *_tag_errors(template.tags or ()),
    ]
    if errors:
        return Provisioned(None, errors)
    async with context.transaction() as connection:
        template_id = await dictionaries.upsert_template(connection, template)
    context.forget_loaded()
    return Provisioned(await by_id(context, Template, template_id), [])


def _project_errors(slug: str) -> Iterator[UserError]:
    """Applies the rule of events, which may name a project before it is provisioned."""
    if not slug:
        yield wrong("slug", f"The slug is empty: give 1 to {MAX_NAME_LENGTH} characters.")
    if problem := wrong_name(slug):
        code, message = problem
        yield wrong("slug", f"The slug {message}.", Code(code))


def _slug_errors(field: str, value: str) -> Iterator[UserError]:
    if value == OTHER_NAME:
        message = f"{value!r} is reserved for unknown values: choose another name."
        yield wrong(field, message, InputCode.RESERVED)
    elif not is_slug(value):
        yield wrong(
            field,
            "Give up to 100 lower-case letters, digits, dots, dashes and underscores, beginning "
            "with a letter or a digit.",
        )


def _text_errors(field: str, value: str | None, most: int) -> Iterator[UserError]:
    if value is None:
        return
    if not value.strip() or len(value) > most:
        yield wrong(field, f"Give 1 to {most} characters, not only spaces; it has {len(value)}.")
    elif not can_be_stored(value):
        message = "The text has a NUL or a lone surrogate, which cannot be stored: remove it."
        yield wrong(field, message, Code.INVALID_TEXT)


def _tag_errors(tags: tuple[str, ...]) -> Iterator[UserError]:
    if len(tags) > MAX_TAGS:
        message = f"Give at most {MAX_TAGS} tags, not {len(tags)}."
        yield wrong("tags", message, InputCode.TOO_MANY)
    else:
        for tag in tags:
            yield from _text_errors("tags", tag, 100)


def _chain_errors(chain_id: str | None) -> Iterator[UserError]:
    if chain_id is None:
        return
    digits = chain_id.isascii() and chain_id.isdigit() and len(chain_id) <= 19
    if not digits or int(chain_id) > MAX_CHAIN_ID:
        yield wrong("chainId", "Give a whole number below 2^63, in digits.")
