"""Look-ahead: the fields that a query selects below the current one, with their arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    IntValueNode,
    SelectionSetNode,
    StringValueNode,
    Undefined,
    value_from_ast_untyped,
)
from strawberry.types.nodes import get_variable_values

from resolvers.context import Context
from schema.info import Info
from schema.internals import core_info

Read = TypeVar("Read")


# The most selections whose look-ahead is cached, each with its part of a document.
KEPT_SELECTIONS = 1024

PLAIN = (IntValueNode, FloatValueNode, StringValueNode, BooleanValueNode, EnumValueNode)


def look_ahead(info: Info, read: Callable[[Selection, list[Selected]], Read]) -> Read:
    """Returns `read` of the fields below the current one.

    It is called once for all parents in a response, and once for all responses of a document if no
    variable matters.
    """
    raw, context = core_info(info), info.context
    key = (read, *map(id, raw.field_nodes))
    for memory in (context.services.selections, context.memo):
        if key in memory:
            found: Read = memory[key][0]
            return found
    selection = Selection(raw)
    found = read(selection, selection.fields(node.selection_set for node in raw.field_nodes))
    memory = context.memo if selection.varies else context.services.selections
    # With the nodes, so that no other node gets their addresses.
    memory[key] = found, raw.field_nodes
    if len(memory) > KEPT_SELECTIONS:
        del memory[next(iter(memory))]
    return found


@dataclass(frozen=True, slots=True)
class Selected:
    """A selected field; the same name may be selected several times with other arguments."""

    name: str
    arguments: Mapping[str, Any]
    below: SelectionSetNode | None


def has_parts(_selection: Selection, fields: list[Selected]) -> bool:
    """Whether any object is selected, not plain values alone."""
    return any(field.below is not None for field in fields)


class Selection:
    """Reads the selections of an operation; walks each fragment once per level."""

    def __init__(self, info: GraphQLResolveInfo[Context]) -> None:
        self._fragments: Mapping[str, FragmentDefinitionNode] = info.fragments
        self._variables: dict[str, Any] = dict(get_variable_values(info))
        self.varies = False  # True once an argument that may hold a variable was read

    def fields(self, sets: Iterable[SelectionSetNode | None]) -> list[Selected]:
        """The fields of these selection sets, on any type condition."""
        return [field for one in sets for field in self._walk(one, set())]

    def below(self, fields: Sequence[Selected], *names: str) -> list[Selected]:
        """The fields selected inside the fields of these names."""
        return self.fields(field.below for field in fields if field.name in names)

    def _walk(self, selections: SelectionSetNode | None, seen: set[str]) -> Iterator[Selected]:
        for node in selections.selections if selections else ():
            if not self._included(node.directives or ()):
                continue
            match node:
                case FieldNode():
                    yield Selected(node.name.value, self._arguments(node), node.selection_set)
                case InlineFragmentNode():
                    yield from self._walk(node.selection_set, seen)
                case FragmentSpreadNode() if node.name.value not in seen:
                    seen.add(node.name.value)
                    fragment = self._fragments.get(node.name.value)
                    yield from self._walk(fragment.selection_set if fragment else None, seen)

    def _included(self, directives: Sequence[DirectiveNode]) -> bool:
        for directive in directives:
            if directive.name.value in ("include", "skip"):
                condition = self._arguments(directive).get("if")
                if bool(condition) is (directive.name.value == "skip"):
                    return False
        return True

    def _arguments(self, node: FieldNode | DirectiveNode) -> dict[str, Any]:
        """The given arguments as plain values, enums as their names."""
        given = {}
        for argument in node.arguments or ():
            self.varies = self.varies or not isinstance(argument.value, PLAIN)
            value = value_from_ast_untyped(argument.value, self._variables)
            if value is not Undefined:  # a variable that was left out
                given[argument.name.value] = value
        return given
