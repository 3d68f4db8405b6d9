"""One line declares a field, and every layer goes by it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
import strawberry
from graphql import ExecutionResult

from access.viewers import Permission, Role, Viewer
from gateway.cli import costs_page, permissions_page
from gateway.graphql.documents.documents import Documents
from schema.declarations import (
    ANY_TOKEN,
    FieldRules,
    field,
    mutation,
    subscription,
    weighs,
)
from schema.enforcement import UndeclaredError, enforced
from schema.internals import core
from storage.errors import Forbidden


@weighs(30)
@strawberry.type
class Report:
    text: str = strawberry.field(description="A text.")


@strawberry.type
class Query:
    @field(Permission.MANAGE, "A report.", weight=7, items=50, kept=True)  # type: ignore[untyped-decorator]
    def reports(self) -> list[Report]:
        return [Report(text="a")]

    @field(Permission.READ, "A report of its type's weight.")  # type: ignore[untyped-decorator]
    def plain(self) -> Report:
        return Report(text="b")

    @field(ANY_TOKEN, "The viewer's name.", kept=True, personal=True)  # type: ignore[untyped-decorator]
    def name(self) -> str:
        return "ada"


@strawberry.type
class Mutation:
    @mutation(Permission.PROVISION, "Renames a report.", targets=("slug",))  # type: ignore[untyped-decorator]
    def rename(self, slug: str) -> str:
        return slug


@strawberry.type
class Subscription:
    @subscription(Permission.READ, "Reports.", shared=True)  # type: ignore[untyped-decorator]
    async def shared(self) -> AsyncGenerator[str, None]:
        yield "a"

    @subscription(Permission.READ, "Reports of each viewer.")  # type: ignore[untyped-decorator]
    async def private(self) -> AsyncGenerator[str, None]:
        yield "b"


@dataclass
class Asker:
    """All of a context that permissions need."""

    viewer: Viewer


SCHEMA = enforced(strawberry.Schema(Query, Mutation, Subscription))
DOCUMENTS = Documents(core(SCHEMA))
LISTED = "{ reports { text } }"


def ask(query: str, role: Role) -> ExecutionResult:
    viewer = Viewer("ada", frozenset({role}), frozenset({"shop"}))
    return SCHEMA.execute_sync(query, context_value=Asker(viewer))  # type: ignore[return-value]


def test_its_permission_is_required() -> None:
    assert ask(LISTED, Role.MAINTAINER).data == {"reports": [{"text": "a"}]}
    errors = ask(LISTED, Role.VIEWER).errors
    assert errors
    assert isinstance(errors[0].original_error, Forbidden)
    assert not ask("{ name }", Role.INGEST).errors


@pytest.mark.parametrize(
    ("query", "points"),
    [(LISTED, 7 + 50), ("{ plain { text } }", 30), ('mutation { rename(slug: "a") }', 10)],
)
def test_its_weight_and_items_are_counted(query: str, points: int) -> None:
    assert DOCUMENTS.get(query).operations[""].measured.cost(None).points == points


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        (LISTED, FieldRules(kept=True, personal=False, shared=False)),
        ("{ reports { text } name }", FieldRules(kept=True, personal=True, shared=False)),
        ("{ plain { text } }", FieldRules(kept=False, personal=False, shared=False)),
        ("{ __typename plain { text } }", FieldRules(kept=False, personal=False, shared=False)),
        ("{ __schema { description } }", FieldRules(kept=True, personal=False, shared=True)),
        ("subscription { shared }", FieldRules(kept=False, personal=False, shared=True)),
        ("subscription { private }", FieldRules(kept=False, personal=False, shared=False)),
    ],
)
def test_its_responses_are_kept_or_shared_only_if_declared(query: str, rules: FieldRules) -> None:
    assert DOCUMENTS.get(query).operations[""].rules == rules


def test_the_pages_list_it() -> None:
    permissions, costs = permissions_page.page(SCHEMA), costs_page.page(SCHEMA)
    assert "| `reports` | manage | - | yes | - | yes |\n" in permissions
    assert "| `reports` | 7 | 50 | yes | - |\n" in costs
    assert "| `plain` | 30 | - | - | - |\n" in costs
    assert "| `name` | 0 | - | per subject | - |\n" in costs
    assert "| `rename` | 10 | - | - | - |\n" in costs
    assert "| `shared` | 0 | - | - | yes |\n" in costs
    assert "| `Report` | 30 |\n" in costs


def test_a_mutation_declares_its_audit_target() -> None:
    @strawberry.type
    class Careless:
        @field(Permission.PROVISION, "Renames a report.")  # type: ignore[untyped-decorator]
        def rename(self, slug: str) -> str:
            return slug

    with pytest.raises(UndeclaredError, match="rename"):
        enforced(strawberry.Schema(Query, Careless))
