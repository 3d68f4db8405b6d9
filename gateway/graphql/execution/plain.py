"""Generates a function that completes a selection of plain attributes.

def f0(o, a):                   # o: the object, a: the fields' arguments, then a counter
    if o is None: raise Bail
    v0 = o.status               # an attribute, as Strawberry's default resolver reads it
    v0 = e0.get(v0) or c0(v0)   # an enum's name; c0 is graphql-core's own coercion
    v1 = o.project
    if v1 is not None:
        v2 = v1.name            # an object: its fields inline, as calls are slow
        v1 = {'name': v2}
    v3 = o.events
    v3 = l1(v3, a)              # a list: another generated function
    return {'status': v0, 'project': v1, 'events': v3}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from graphql import (
    FieldNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLString,
    Undefined,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from schema.declarations import TYPE_NAME
from schema.internals import reads_an_attribute, strawberry_field
from schema.scalars import write_date_time

# Metadata of a field whose value depends only on the object and the arguments.
PURE = "pure"


class NotPlainError(Exception):
    """The selection needs a resolver, so it cannot be compiled."""


class BailError(Exception):
    """A value that is left to graphql-core."""


@dataclass(frozen=True, slots=True)
class Argued:
    """A pure field with arguments, which are computed once per response."""

    definition: GraphQLField
    node: FieldNode


# Conditions under which a value needs coercion; other values are already in their final form.
SPECIAL = {
    GraphQLString: "type({v}) is not str",
    GraphQLID: "type({v}) is not str",
    GraphQLBoolean: "{v} is not True and {v} is not False",
    GraphQLInt: "type({v}) is not int or not -2147483648 <= {v} <= 2147483647",
    GraphQLFloat: "type({v}) is not float or {v} - {v} != 0.0",
}


@dataclass(slots=True)
class Generator:
    """Collects the source of generated functions and the names they use."""

    # graphql-core's own collection of sub-fields, with fragments and directives applied.
    collect: Callable[[GraphQLObjectType, Any], Any]
    field_of: Callable[[GraphQLObjectType, str], GraphQLField | None]
    names: dict[str, Any] = field(default_factory=lambda: {"Bail": BailError})
    source: list[str] = field(default_factory=list)
    argued: list[Argued] = field(default_factory=list)
    variables: int = 0

    def generate(self, kind: GraphQLObjectType, details: Any) -> Any:
        """Generate the function that completes an object; raises NotPlainError."""
        name = self._function("f", [*self._object(kind, details, "o"), "return o"])
        # The source holds only GraphQL names, names of our classes, and strings by repr().
        exec("\n".join(self.source), self.names)  # noqa: S102
        return self.names[name]

    def _object(self, kind: GraphQLObjectType, details: Any, o: str) -> list[str]:
        """Lines that replace the object by its completion."""
        lines = [self._type_check(kind, o)]
        entries = []
        for response, fields in self.collect(kind, details).items():
            name = fields[0].node.name.value
            if name == TYPE_NAME:
                entries.append(f"{response!r}: {kind.name!r}")
                continue
            definition = self.field_of(kind, name)
            if definition is None or any(detail.fragment_variable_values for detail in fields):
                raise NotPlainError
            self.variables += 1
            variable = f"v{self.variables}"
            lines.append(f"{variable} = {self._read(definition, fields[0].node, o)}")
            lines += self._complete(definition.type, fields, variable)
            entries.append(f"{response!r}: {variable}")
        return [*lines, f"{o} = {{{', '.join(entries)}}}"]

    def _type_check(self, kind: GraphQLObjectType, o: str) -> str:
        if kind.is_type_of is None:
            return f"if {o} is None: raise Bail"
        check = f"{self._name('t', kind.is_type_of)}({o}, None) is not True"
        # A quicker check, for exactly these classes.
        if (classes := getattr(kind.is_type_of, "classes", None)) is not None:
            return f"if type({o}) not in {self._name('k', classes)} and {check}: raise Bail"
        return f"if {o} is None or {check}: raise Bail"

    def size(self, kind: Any, details: Any) -> int:
        """The number of values in an object, without those of its lists."""
        kind = get_nullable_type(kind)
        if not is_object_type(kind):
            return 1
        size = 0
        for inner in self.collect(kind, details).values():
            definition = self.field_of(kind, inner[0].node.name.value)
            size += 1 if definition is None else self.size(definition.type, inner)
        return size

    def _read(self, definition: GraphQLField, node: FieldNode, o: str) -> str:
        declared = strawberry_field(definition)
        if declared is None:
            raise NotPlainError
        if (pure := declared.metadata.get(PURE)) is not None:
            self.argued.append(Argued(definition, node))
            return f"{self._name('p', pure)}({o}, **a[{len(self.argued) - 1}])"
        is_read = reads_an_attribute(definition) and declared.default_resolver is getattr
        if not is_read or definition.args:
            raise NotPlainError
        return f"{o}.{declared.python_name}"

    def _complete(self, kind: Any, details: Any, variable: str) -> list[str]:
        """Lines that replace the variable's value by its completion."""
        if is_non_null_type(kind):
            # The lines below refuse None.
            return self._present(kind.of_type, details, variable)
        lines = self._present(kind, details, variable)
        return [f"if {variable} is not None:", *("    " + line for line in lines)]

    def _present(self, kind: Any, details: Any, variable: str) -> list[str]:
        if is_leaf_type(kind):
            return self._leaf(kind, variable)
        if is_list_type(kind):
            return [f"{variable} = {self._list(kind.of_type, details)}({variable}, a)"]
        if is_object_type(kind):
            return self._object(kind, details, variable)
        raise NotPlainError

    def _list(self, kind: Any, details: Any) -> str:
        """Generate a function that completes a list; return its name."""
        guard = "if type(o) is not list and type(o) is not tuple: raise Bail"
        count = f"a[-1](len(o) * {self.size(kind, details)})"
        lines = ["    " + line for line in self._complete(kind, details, "v")]
        body = [guard, count, "r = []", "for v in o:", *lines, "    r.append(v)", "return r"]
        return self._function("l", body)

    def _leaf(self, kind: Any, v: str) -> list[str]:
        coerce = self._name("c", _checked(kind.coerce_output_value))
        if isinstance(kind, GraphQLEnumType):
            return [f"{v} = {self._name('e', _names(kind))}.get({v}) or {coerce}({v})"]
        for special, condition in SPECIAL.items():
            if kind is special:
                return [f"if {condition.format(v=v)}: {v} = {coerce}({v})"]
        if kind.coerce_output_value is write_date_time:
            self.names |= {"datetime": datetime, "UTC": UTC}
            # A time in UTC is left to the encoder, which is much faster.
            left = f"type({v}) is datetime and {v}.tzinfo is UTC"
            return [f"if type({v}) is not str and not ({left}): {v} = {coerce}({v})"]
        return [f"{v} = {coerce}({v})"]

    def _name(self, prefix: str, value: Any) -> str:
        name = f"{prefix}{len(self.names)}"
        self.names[name] = value
        return name

    def _function(self, prefix: str, body: Sequence[str]) -> str:
        name = self._name(prefix, None)
        self.source += [f"def {name}(o, a):", *("    " + line for line in body)]
        return name


def _checked(coerce: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        # Some scalars would turn None into the text "None".
        if value is None or isinstance(value, Exception):
            raise BailError
        coerced = coerce(value)
        if coerced is None or coerced is Undefined:
            raise BailError
        return coerced

    return checked


def _names(kind: GraphQLEnumType) -> dict[Any, str]:
    """The GraphQL names by Python value."""
    return {entry.value: name for name, entry in kind.values.items()}
