"""Compiled completion against graphql-core, over made-up documents and made-up, poisoned data.

python -m tests.gateway.graphql.differential --documents 10000
"""

import argparse
import asyncio
import copy
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import strawberry
from graphql import (
    ExecutionResult,
    GraphQLSchema,
    NoUnusedVariablesRule,
    ValuesOfCorrectTypeRule,
    execute,
    is_interface_type,
    is_object_type,
    is_union_type,
    parse,
    specified_rules,
    validate,
)
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries
from strawberry.schema.config import StrawberryConfig

from gateway.graphql.execution.compiled import CompletionPlan, compiled_executor
from gateway.graphql.execution.counting import CountingExecutor
from gateway.graphql.execution.plain import PURE
from schema.internals import DEFINITION, core, reads_an_attribute
from schema.queries import Query
from schema.scalars import SCALARS
from schema.things.environments import Environment
from tests.gateway.graphql import poisoned
from tests.gateway.graphql.fabricated import Fabricator, written
from tests.gateway.graphql.twisted import twisted

OWN_SCALARS = ("DateTime", "Date", "Duration", "TimeZone", "UUID", "JSON")
TEXTS = st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01", "P1D", "UTC"]).map(nodes.String)
# A switch need not be used, and an argument that is refused is refused alike.
LENIENT = (NoUnusedVariablesRule, ValuesOfCorrectTypeRule)
RULES = [rule for rule in specified_rules if rule not in LENIENT]
POISON = (0.0, 0.01, 0.1)


@dataclass(slots=True)
class Tally:
    """Counts of a run, which must have compiled something and met errors."""

    documents: int = 0
    executions: int = 0
    compiled: int = 0
    with_errors: int = 0


def real_schema() -> GraphQLSchema:
    """The gateway's schema, a copy whose resolvers can be replaced."""
    made = strawberry.Schema(
        Query, types=[Environment], config=StrawberryConfig(scalar_map=SCALARS)
    )
    return _fabricating(core(made))


def poisoned_schema() -> GraphQLSchema:
    return _fabricating(core(poisoned.schema()))


def _fabricating(schema: GraphQLSchema) -> GraphQLSchema:
    """Replace every resolver by one that makes its value up; values tell their own type."""
    for kind in schema.type_map.values():
        if is_interface_type(kind) or is_union_type(kind):
            kind.resolve_type = lambda value, _info, _kind: getattr(value, "kind", None)
        if not is_object_type(kind) or kind.name.startswith("__"):
            continue
        if kind.is_type_of is not None:
            kind.is_type_of = _checker(kind.name)
        for field in kind.fields.values():
            _replace(field, at_root=kind is schema.query_type)
    return schema


def _replace(field: Any, *, at_root: bool) -> None:
    known = field.extensions[DEFINITION]
    if PURE in known.metadata:
        name = known.python_name
        known = copy.copy(known)  # the original belongs to every schema with this field
        known.metadata = {PURE: lambda parent, **_arguments: getattr(parent, name)}
        field.extensions = {**field.extensions, DEFINITION: known}
        field.resolve = lambda parent, _info, **_arguments: getattr(parent, name)
    elif at_root or not reads_an_attribute(field):
        field.resolve = _resolve


def _resolve(parent: Any, info: Any, **_arguments: Any) -> Any:
    """The same value at each call; some values are awaitable."""
    maker: Fabricator = info.context
    key = f"{getattr(parent, 'key', '')} {info.path.as_list()}"
    value = maker.value(info.return_type, key)
    return value if len(key) % 3 else Later(value)


@dataclass(frozen=True, slots=True)
class Later:
    """An awaitable that, unlike a coroutine, need not be awaited when a sibling fails."""

    value: Any

    def __await__(self) -> Generator[Any, None, Any]:
        yield from asyncio.sleep(0).__await__()
        return self.value


def _checker(name: str) -> Callable[[Any, Any], bool]:
    return lambda value, _info: getattr(value, "kind", None) == name


def _noting(tally: Tally) -> type[CountingExecutor]:
    """An executor that notes how often compiled code ran."""
    base: Any = compiled_executor()

    class Noting(base):  # type: ignore[misc]
        def _arguments(self, plan: CompletionPlan) -> list[Any]:
            tally.compiled += 1
            found: list[Any] = super()._arguments(plan)
            return found

    return Noting


async def answer(
    schema: GraphQLSchema, document: Any, variables: Any, context: Any, executor: Any
) -> str:
    """Data and errors of one execution, in a form in which 1 is not True."""
    result = execute(
        schema,
        document,
        context_value=context,
        variable_values=variables,
        executor_class=executor,
    )
    found = result if isinstance(result, ExecutionResult) else await result
    errors = [(error.message, error.path, error.locations) for error in found.errors or ()]
    return repr((sorted(errors, key=repr), written(found.data)))


async def compare(schema: GraphQLSchema, text: str, number: int, tally: Tally) -> None:
    """One document, its switches on and off, on data of three degrees of poison."""
    document = parse(text)
    if validate(schema, document, RULES):
        return
    tally.documents += 1
    executor = _noting(tally)
    for turn, poison in enumerate(POISON):
        variables = {"yes": bool((number >> turn) & 1), "no": bool((number >> turn) & 2)}
        data = (variables, Fabricator(schema, number, poison))
        wanted = await answer(schema, document, *data, CountingExecutor)
        tally.with_errors += not wanted.startswith("([],")
        for _ in range(2):  # the second execution is compiled
            found = await answer(schema, document, *data, executor)
            tally.executions += 1
            assert found == wanted, f"{text}\n{variables} {number} {poison}\n{found}\n{wanted}"


def documents(schema: GraphQLSchema) -> st.SearchStrategy[str]:
    scalars = {name: TEXTS for name in OWN_SCALARS if name in schema.type_map}
    return queries(schema, custom_scalars=scalars, allow_x00=False)


def run(schema: GraphQLSchema, count: int, number: int = 0) -> Tally:
    """Compare so many documents; raises AssertionError with the first that differs."""
    tally = Tally()

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents(schema), st.integers(0, 2**32))
    def each(text: str, number: int) -> None:
        asyncio.run(compare(schema, twisted(text, number), number, tally))

    each()
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    for name, schema in (("real", real_schema()), ("poisoned", poisoned_schema())):
        sys.stdout.write(f"{name}: {run(schema, given.documents // 2, given.seed)}\n")


if __name__ == "__main__":
    main()
