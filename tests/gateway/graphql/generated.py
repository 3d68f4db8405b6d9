"""Requests drawn from a schema: any fields, any arguments, plausible and hostile values."""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import strategies as st

from tests.crawl.documents import is_one_of

HOSTILE = ("", "\x00", "a\x00b", "%", "_", "\\", "'; drop table x; --", "x" * 3000, "\u202e", "😀")
WORDS = (
    "demo",
    "metis",
    "hyperion",
    "production",
    "P7D",
    "PT1H",
    "UTC",
    "Europe/Berlin",
    "RmFrZQ==",
)
TIMES = ("2026-11-20T00:00:00Z", "2026-11-01T00:00:00+02:00", "0001-01-01T00:00:00Z", "soon")
TEXTS = st.sampled_from(HOSTILE + WORDS + TIMES) | st.text(max_size=20)
NUMBERS = st.integers(-3, 200) | st.sampled_from((2**31 - 1, -(2**31), 2**53, 10**30))
FLOATS = NUMBERS | st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from((0.5, 0.99))
DEPTH = 4


class Requests:
    """Builds one request at a time, with its arguments as variables."""

    def __init__(
        self, schema: GraphQLSchema, draw: Callable[[st.SearchStrategy[Any]], Any]
    ) -> None:
        self._schema = schema
        self._draw = draw
        self._declared: list[str] = []
        self._values: dict[str, Any] = {}

    def request(self, root: GraphQLObjectType, keyword: str) -> dict[str, Any]:
        names = sorted(root.fields)
        chosen = self._draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
        body = " ".join(self._field(name, root.fields[name], DEPTH) for name in chosen)
        declared = f"({' '.join(self._declared)})" if self._declared else ""
        return {"query": f"{keyword}{declared}{{{body}}}", "variables": self._values}

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        arguments = [
            text
            for argument_name, argument in field.args.items()
            if (text := self._argument(argument_name, argument))
        ]
        given = f"({' '.join(arguments)})" if arguments else ""
        return f"{name}{given}{self._selection(field.type, depth - 1)}"

    def _argument(self, name: str, argument: GraphQLArgument) -> str:
        if not is_required_argument(argument) and not self._draw(st.booleans()):
            return ""
        variable = f"v{len(self._declared)}"
        self._declared.append(f"${variable}:{argument.type}")
        self._values[variable] = self._value(argument.type, 3)
        return f"{name}:${variable}"

    def _selection(self, kind: GraphQLOutputType, depth: int) -> str:
        named = get_named_type(kind)
        if is_leaf_type(named):
            return ""
        if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            return "{__typename}"
        names = sorted(
            name
            for name, field in named.fields.items()
            if depth > 0 or is_leaf_type(get_named_type(field.type))
        )
        if not names:
            return "{__typename}"
        chosen = self._draw(st.lists(st.sampled_from(names), max_size=4, unique=True))
        fields = (self._field(name, named.fields[name], depth) for name in chosen)
        return f"{{__typename {' '.join(fields)}}}"

    def _value(self, kind: GraphQLInputType, depth: int) -> Any:
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type, depth)
        if isinstance(kind, GraphQLList):
            size = self._draw(st.integers(0, 2)) if depth else 0
            return [self._value(kind.of_type, depth - 1) for _ in range(size)]
        if isinstance(kind, GraphQLEnumType):
            return self._draw(st.sampled_from(sorted(kind.values)))
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind, depth)
        simple = {"Int": NUMBERS, "Long": NUMBERS, "Float": FLOATS, "Boolean": st.booleans()}
        return self._draw(simple.get(getattr(kind, "name", ""), TEXTS))

    def _object(self, kind: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
        some = st.sampled_from(sorted(kind.fields))
        if is_one_of(kind):
            names = [self._draw(some)]
        else:
            names = [name for name, field in kind.fields.items() if is_required_input_field(field)]
            optional = st.lists(some, max_size=3 if depth > 0 else 0, unique=True)
            names += [name for name in self._draw(optional) if name not in names]
        return {name: self._value(kind.fields[name].type, depth - 1) for name in names}


@st.composite
def requests(
    draw: Callable[[st.SearchStrategy[Any]], Any], schema: GraphQLSchema
) -> dict[str, Any]:
    query, mutation = schema.query_type, schema.mutation_type
    assert query is not None
    if mutation is not None and draw(st.integers(0, 4)) == 0:
        return Requests(schema, draw).request(mutation, "mutation")
    return Requests(schema, draw).request(query, "query")
