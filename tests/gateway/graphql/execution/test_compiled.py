"""Compiled completion: the same answer as graphql-core's, whatever the query and the data."""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import strawberry
from graphql import (
    ExecutionResult,
    NoUnusedFragmentsRule,
    NoUnusedVariablesRule,
    execute,
    parse,
    specified_rules,
    validate,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from gateway.graphql.execution.compiled import (
    MAX_PLANS,
    UNPLANNED,
    CompletionPlans,
    compiled_executor,
)
from gateway.graphql.execution.counting import CountingExecutor
from schema.internals import core
from schema.nodes import instances_of
from schema.scalars import SCALARS, write_date_time


@strawberry.enum
class Colour(Enum):
    RED = strawberry.enum_value(1)
    BLUE = strawberry.enum_value("blue")


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Leaf(Named):
    weight: float
    size: int | None
    colour: Colour
    colours: list[Colour | None]
    at: datetime | None
    id: strawberry.ID
    extra: JSON | None
    key: UUID  # written by str(), which takes anything

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        return getattr(value, "kind", None) == "leaf"


def first_leaves(tree: Any, first: int) -> Any:
    return tree.children[:first]


@strawberry.type
class Tree:
    name: str
    ripe: bool
    leaf: Leaf
    maybe: Leaf | None
    children: list[Leaf]
    gaps: list[Leaf | None] | None
    matrix: list[list[float | None]]

    @strawberry.field(metadata={"pure": first_leaves})  # type: ignore[untyped-decorator]
    def some(self, parent: strawberry.Parent[Any], first: int = 1) -> list[Leaf]:
        return first_leaves(parent, first)  # type: ignore[no-any-return]

    @strawberry.field
    async def slow(self, parent: strawberry.Parent[Any]) -> str:
        await asyncio.sleep(0)
        return str(parent.name)

    is_type_of = instances_of(SimpleNamespace)


@strawberry.type
class Query:
    @strawberry.field
    def trees(self, info: strawberry.Info) -> list[Tree]:
        return info.context  # type: ignore[no-any-return]

    @strawberry.field
    def tree(self, info: strawberry.Info) -> Tree | None:
        return info.context[0] if info.context else None


SCHEMA = strawberry.Schema(Query, config=StrawberryConfig(scalar_map={datetime: SCALARS[datetime]}))
UNUSED = (NoUnusedFragmentsRule, NoUnusedVariablesRule)
RULES = [rule for rule in specified_rules if rule not in UNUSED]
LEAF = ["name", "weight", "size", "colour", "colours", "at", "id", "extra", "key", "__typename"]
PLAIN = ["name", "ripe", "matrix", "__typename"]
LINKS = ["leaf", "maybe", "children", "gaps", "some", "some(first: $n)", "some(first: -1)"]
WRAPPED = ["FIELDS", "...L FIELDS", "... on Leaf { FIELDS }", "... on Named { name } FIELDS"]
POISON: list[Callable[[], Any]] = [
    lambda: None,
    lambda: 5,
    lambda: 2**40,
    lambda: 1.5,
    lambda: float("inf"),
    lambda: float("nan"),
    lambda: "text",
    lambda: True,
    list,
    dict,
    lambda: "blue",
    lambda: Colour.RED,
    lambda: ValueError("a value that is an error"),
    lambda: (1, None),
    lambda: object,
]


def make_leaf(chance: random.Random) -> Any:
    return SimpleNamespace(
        kind="leaf",
        name=f"leaf {chance.random()}",
        weight=chance.random(),
        size=chance.choice([None, 3]),
        colour=chance.choice([1, "blue", Colour.BLUE]),
        colours=[1, None, "blue"],
        at=chance.choice([None, datetime(2026, 1, 1, tzinfo=UTC)]),
        id="x",
        extra={"any": ["value"]},
        key=UUID(int=chance.randrange(100)),
    )


def make_tree(chance: random.Random) -> Any:
    return SimpleNamespace(
        name="tree",
        ripe=True,
        leaf=make_leaf(chance),
        maybe=chance.choice([None, make_leaf(chance)]),
        children=[make_leaf(chance) for _ in range(chance.randrange(4))],
        gaps=chance.choice([None, (make_leaf(chance), None)]),
        matrix=[[0.5, None], []],
    )


def poison(trees: list[Any], chance: random.Random) -> None:
    """Put something unexpected into one attribute of a tree or a leaf, or take it away."""
    tree = chance.choice(trees)
    target = chance.choice([tree, tree.__dict__.get("leaf"), *_leaves(tree), *_leaves(tree)])
    if not isinstance(target, SimpleNamespace) or not vars(target):
        return
    name = chance.choice(sorted(vars(target)))
    if chance.random() < 0.1:
        delattr(target, name)
    else:
        setattr(target, name, chance.choice(POISON)())


def _leaves(tree: Any) -> list[Any]:
    children = tree.__dict__.get("children")
    return list(children) if isinstance(children, list) else []


leaf_fields = st.lists(st.sampled_from(LEAF), min_size=1, max_size=5, unique=True).map(" ".join)
switches = st.sampled_from(["", "@include(if: $yes)", "@skip(if: $yes)", "@skip(if: $no)"])


def link(draw: Any) -> str:
    name, below, switch = draw(st.sampled_from(LINKS)), draw(leaf_fields), draw(switches)
    alias = draw(st.sampled_from(["", "a: ", "b: "]))
    wrapped = draw(st.sampled_from(WRAPPED)).replace("FIELDS", below)
    return f"{alias}{name} {switch} {{ {wrapped} }}"


@st.composite
def documents(draw: Any) -> str:
    fields = [link(draw) for _ in range(draw(st.integers(0, 3)))]
    fields += draw(st.lists(st.sampled_from([*PLAIN, "slow"]), min_size=1, max_size=4, unique=True))
    root = draw(st.sampled_from(["trees", "tree"]))
    return (
        "query($yes: Boolean!, $no: Boolean = false, $n: Int = 2) { "
        f"{root} {{ {' '.join(fields)} }} }} fragment L on Leaf {{ id colour }}"
    )


async def run(document: Any, data: Any, variables: dict[str, Any], executor: Any) -> Any:
    result = execute(
        core(SCHEMA),
        document,
        context_value=data,
        variable_values=variables,
        executor_class=executor,
    )
    if not isinstance(result, ExecutionResult):
        result = await result
    errors = [(error.message, error.path, error.locations) for error in result.errors or ()]
    return written(result.data), sorted(errors, key=repr)


def written(value: Any) -> Any:
    """Data with its times as text: compiled completion leaves them to the encoder."""
    if isinstance(value, dict):
        return {key: written(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [written(inner) for inner in value]
    return write_date_time(value) if type(value) is datetime and value.tzinfo is UTC else value


@given(
    document=documents(),
    seed=st.integers(0, 2**32),
    poisons=st.sampled_from([0, 1, 1, 1, 2, 9]),
    yes=st.booleans(),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
async def test_answers_and_errors_are_the_same(
    document: str, seed: int, poisons: int, yes: bool
) -> None:
    parsed = parse(document)
    assume(not validate(core(SCHEMA), parsed, RULES))
    chance = random.Random(seed)
    data = [make_tree(chance) for _ in range(3)]
    for _ in range(poisons):
        poison(data, chance)
    plain = SCHEMA.execution_context_class
    compiled = compiled_executor()
    for flip in (yes, not yes, yes):
        wanted = await run(parsed, data, {"yes": flip}, plain)
        for _ in range(2):
            found = await run(parsed, data, {"yes": flip}, compiled)
            assert repr(found) == repr(wanted)  # repr tells 1 from True


WHOLE = f"""{{ trees {{ {" ".join(PLAIN)} leaf {{ {" ".join(LEAF)} }}
    children {{ {" ".join(LEAF)} }} gaps {{ __typename }} maybe {{ name }} some {{ id }} }} }}"""


@pytest.mark.parametrize("number", range(len(POISON)))
async def test_each_unexpected_value_gives_the_same_errors(number: int) -> None:
    document = parse(WHOLE)
    plain, compiled = SCHEMA.execution_context_class, compiled_executor()
    for name in [*vars(make_tree(random.Random(0))), *LEAF[:-1], "item"]:
        data: list[Any] = [make_tree(random.Random(3)) for _ in range(2)]
        surprise = POISON[number]()
        if name == "item":
            data[1] = surprise
        else:
            target = data[1] if hasattr(data[1], name) and name not in LEAF else data[1].leaf
            setattr(target, name, surprise)
        wanted = await run(document, data, {}, plain)
        for _ in range(3):
            assert repr(await run(document, data, {}, compiled)) == repr(wanted), name


async def test_a_missing_tree_is_null_whatever_is_selected() -> None:
    document = parse("{ trees { __typename } }")
    data = [make_tree(random.Random(0)), None]
    compiled = compiled_executor()
    for _ in range(3):
        found, errors = await run(document, data, {}, compiled)
        assert found is None
        assert len(errors) == 1


class Shrub:
    """Has all attributes of a tree, but is no tree."""

    def __init__(self, tree: SimpleNamespace) -> None:
        vars(self).update(vars(tree))


class Bonsai(SimpleNamespace):
    """A tree of another class."""


async def test_object_of_another_class_is_refused() -> None:
    document = parse("{ trees { name } }")
    compiled, plain = compiled_executor(), SCHEMA.execution_context_class
    tree = make_tree(random.Random(0))
    for _ in range(3):
        found, errors = await run(document, [tree, Bonsai(**vars(tree))], {}, compiled)
        assert found == {"trees": [{"name": "tree"}] * 2}
        wanted = await run(document, [tree, Shrub(tree)], {}, plain)
        found, errors = await run(document, [tree, Shrub(tree)], {}, compiled)
        assert (found, errors) == wanted
        assert errors


async def test_clean_data_never_reaches_graphql_core(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    data = [make_tree(chance) for _ in range(3)]
    document = parse(
        "{ trees { name leaf { name id } children { colour } some(first: 2) { id } } }"
    )
    executor = compiled_executor()
    for _ in range(2):
        await run(document, data, {}, executor)

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("graphql-core completed an object")

    base: Any = CountingExecutor.__mro__[1]
    monkeypatch.setattr(base, "complete_object_value", refuse)
    found, errors = await run(document, data, {}, executor)
    assert errors == []
    assert len(found["trees"]) == 3


def test_selection_is_compiled_at_its_second_use() -> None:
    plans, made = CompletionPlans(), []

    def make() -> Any:
        made.append(1)
        return UNPLANNED

    plans.find("a", make)
    assert made == []
    plans.find("a", make)
    plans.find("a", make)
    assert made == [1]


def test_cache_of_plans_is_bounded() -> None:
    plans = CompletionPlans()
    for number in range(2 * MAX_PLANS):
        plans.find(number, lambda: UNPLANNED)
    assert len(plans._plans) == MAX_PLANS
