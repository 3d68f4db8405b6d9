"""Permissions: every field in every role is allowed or refused exactly as the page says."""

from collections.abc import AsyncIterator, Iterator
from inspect import isawaitable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, parse, subscribe

from access.viewers import Permission, Role, Viewer
from gateway.cli.permissions_page import page
from resolvers.context import Context
from schema import schema
from schema.declarations import ANY_TOKEN, Declaration, declarations, field, in_words
from schema.enforcement import UndeclaredError, enforced
from storage.errors import Forbidden
from tests.crawl.documents import CORE, Document, Writer, operation_of, wrapped
from tests.crawl.values import harmless
from tests.schema.conftest import opened
from tests.schema.platform import Platform
from tests.servers import Databases

ROOT = Path(__file__).parent.parent.parent


DECLARED = [field for field in declarations(schema) if field.rules.needs]


def asking(rule: Declaration) -> Document:
    """A document that asks for the field and for nothing below it."""
    kind = rule.parent
    is_root = kind in (CORE.query_type, CORE.mutation_type, CORE.subscription_type)
    writer = Writer(harmless if is_root else existing)
    below = writer.everything(CORE.type_map[named(rule.definition)], depth=0)
    selection = f"{writer.call(kind.name, rule.name, rule.definition, {})} {below}"
    if not is_root:
        selection = wrapped(writer, kind, selection)
    return writer.document(operation_of(kind.name), selection, f"{kind.name}.{rule.name}")


def existing(kind: Any, place: str, name: str) -> Any:
    """The project of `holder`, so that there is something to ask a field of."""
    return "shop" if name == "slug" else harmless(kind, place, name)


def named(definition: object) -> str:
    return str(definition.type).strip("[]!")  # type: ignore[attr-defined]


def holder(*roles: Role) -> Viewer:
    return Viewer("somebody", frozenset(roles), frozenset({"shop"}))


@pytest.fixture(scope="session")
def asked_url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="session")
async def asked(asked_url: str) -> AsyncIterator[Platform]:
    """A platform of their own: what is allowed leaves its traces."""
    async with opened(asked_url) as platform:
        yield platform


@pytest.mark.parametrize("rule", DECLARED, ids=lambda rule: f"{rule.parent.name}.{rule.name}")
async def test_each_role_may_ask_for_exactly_what_the_page_says(
    asked: Platform, rule: Declaration
) -> None:
    document = asking(rule)
    lines = section(rule.parent.name).splitlines()
    (row,) = [line for line in lines if line.startswith(f"| `{rule.name}` |")]
    promised = [cell == "yes" for cell in row.strip("| ").split(" | ")[2:]]
    for role, allowed in zip(Role, promised, strict=True):
        causes = await refusals(asked, document, holder(role))
        forbidden = any(isinstance(cause, Forbidden) for cause in causes)
        assert forbidden is not allowed, (role, causes)
        if not allowed and rule.parent in (CORE.query_type, CORE.subscription_type):
            assert not asked.statements, "a refusal reads nothing"


async def refusals(
    platform: Platform, document: Document, viewer: Viewer
) -> list[Exception | None]:
    """What stands in the way of the answer; of a subscription, of its beginning."""
    if not document.text.startswith("subscription"):
        answer = await platform.execute(document.text, viewer, **document.variables)
        return [error.original_error for error in answer.errors or ()]
    platform.statements.clear()
    context = await Context.create(platform.services, viewer, "request-1")
    syntax = parse(document.text)
    begun = subscribe(CORE, syntax, context_value=context, variable_values=document.variables)
    result = await begun if isawaitable(begun) else begun
    errors = result.errors if isinstance(result, ExecutionResult) else None
    return [error.original_error for error in errors or ()]


def section(title: str) -> str:
    text = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_page_is_current() -> None:
    text = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    assert text == page(schema), "run `make schema`"


def test_every_root_field_is_on_the_page() -> None:
    declared = {(rule.parent.name, rule.name) for rule in DECLARED}
    for kind in (CORE.query_type, CORE.mutation_type, CORE.subscription_type):
        if kind is not None:
            assert {(kind.name, name) for name in kind.fields} <= declared


async def test_roles_add_up(platform: Platform) -> None:
    both = holder(Role.VIEWER, Role.INGEST)
    result = await platform.execute("{ projects { nodes { slug } } }", both)
    assert result.data == {"projects": {"nodes": [{"slug": "shop"}]}}
    for pair in combinations(Permission, 2):
        assert both.may(pair[0]) == (pair[0] in {Permission.READ, Permission.RECORD})


def test_a_root_field_that_declares_nothing_cannot_be_built() -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        def secret(self) -> str:
            return "secret"

    with pytest.raises(UndeclaredError, match=r"Query\.secret"):
        enforced(strawberry.Schema(query=Query))


def test_what_is_below_a_field_for_any_token_declares_its_own() -> None:
    @strawberry.type
    class Open:
        @strawberry.field
        def secret(self) -> str:
            return "secret"

    @strawberry.type
    class Query:
        @field(ANY_TOKEN, "For all.")  # type: ignore[untyped-decorator]
        def open(self) -> Open:
            return Open()

    with pytest.raises(UndeclaredError, match=r"Open\.secret"):
        enforced(strawberry.Schema(query=Query))


def test_the_description_says_which_roles() -> None:
    assert CORE.mutation_type.fields["recordDeployment"].description.endswith(
        "Needs the role ingest or admin."
    )
    assert "role" not in CORE.query_type.fields["measures"].description
    assert in_words([Role.ADMIN]) == "admin"
