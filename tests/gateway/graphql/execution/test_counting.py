"""The values of a response are limited with either executor."""

from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, get_introspection_query

from gateway.graphql.documents.documents import Documents
from gateway.graphql.execution import counting
from gateway.graphql.execution.compiled import compiled_executor
from gateway.graphql.execution.counting import CountingExecutor
from gateway.graphql.execution.executor import Executor
from gateway.graphql.requests import GraphQLRequest
from resolvers.context import MAX_VALUES
from schema import schema
from schema.internals import core
from storage.errors import LimitExceeded


@strawberry.type
class Row:
    id: int
    numbers: list[int]


@strawberry.type
class Page:
    rows: list[Row]


@strawberry.type
class Query:
    @strawberry.field
    async def page(self, first: int = 10) -> Page:
        return Page(rows=[Row(id=number, numbers=[1, 2, 3, 4, 5]) for number in range(first)])

    @strawberry.field
    async def numbers(self, first: int) -> list[int]:
        return [0] * first


SCHEMA = strawberry.Schema(Query)
COMPILED = compiled_executor()


async def run(
    text: str, executor: type[CountingExecutor], schema: strawberry.Schema = SCHEMA
) -> ExecutionResult:
    async def context() -> Any:
        return None

    document = Documents(core(schema)).get(text)
    request = GraphQLRequest(text, None, None, None)
    result = ExecutionResult()
    for _ in range(3):  # the third time the compiled executor has compiled
        result = await Executor(schema, executor_class=executor).run(document, request, context())
    return result


@pytest.fixture(params=[CountingExecutor, COMPILED], ids=["walked", "compiled"])
def executor(request: pytest.FixtureRequest) -> type[CountingExecutor]:
    kind: type[CountingExecutor] = request.param
    return kind


TOO_MUCH = [
    "{numbers(first: 101)}",
    "{page(first: 51) {rows {id numbers}}}",
    "{page {rows {" + " ".join(f"a{number}: id" for number in range(11)) + "}}}",
    "{page {rows {a: numbers b: numbers}}}",
    "{a: page {rows {numbers}} b: page {rows {numbers}}}",
    "{page {a: rows {numbers} b: rows {numbers}}}",
    "{__schema {types {name fields {name type {name} args {name}}}}}",
]
ENOUGH = ["{numbers(first: 100)}", "{page {rows {id numbers}}}", "{a: page {rows {id}}}"]


@pytest.mark.parametrize("text", TOO_MUCH)
async def test_too_much_is_refused(
    text: str, executor: type[CountingExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MAX_VALUES", 100)
    result = await run(text, executor)
    assert result.data is None
    error = (result.errors or [])[0].original_error
    assert isinstance(error, LimitExceeded)
    assert error.limit == "values"


@pytest.mark.parametrize("text", ENOUGH)
async def test_response_at_the_limit_is_answered(
    text: str, executor: type[CountingExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MAX_VALUES", 100)
    assert (await run(text, executor)).errors is None


async def test_the_usual_introspection_fits_twice(
    executor: type[CountingExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for a larger schema."""
    monkeypatch.setattr(counting, "MAX_VALUES", MAX_VALUES // 2)
    text = get_introspection_query(input_value_deprecation=True, specified_by_url=True)
    assert (await run(text, executor, schema)).errors is None


async def test_introspection_weighs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MAX_VALUES", 30)
    assert (await run("{page(first: 4) {rows {id a: id}}}", CountingExecutor)).errors is None
    assert (await run("{__schema {types {name kind}}}", CountingExecutor)).errors
