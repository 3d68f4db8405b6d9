"""How much input an operation gives its fields, counted before any of it is read.

A variable is read anew by each field that is given it, and an object of input takes a tenth of a
millisecond: a kilobyte of them, used sixty times, would keep everybody waiting for seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from storage.errors import LimitExceeded

MAX_INPUT_VALUES = 20_000
MAX_LIST_ITEMS = 1_000
OBJECT_WEIGHT = 10  # an object takes as long as so many plain values


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an operation's literals hold, and how often each variable is used."""

    literals: int
    longest_list: int
    uses: Mapping[str, int]
    defaults: Mapping[str, int]

    def check(self, variables: Mapping[str, Any] | None) -> None:
        """Raise LimitExceeded where the fields would be given too much together."""
        _check_length(self.longest_list)
        given = variables or {}
        total = self.literals
        for name, times in self.uses.items():
            held = weigh(given[name]) if name in given else self.defaults.get(name, 0)
            total += held * times
        if total > MAX_INPUT_VALUES:
            raise LimitExceeded(
                f"The arguments hold more than {MAX_INPUT_VALUES:,} values together; an object "
                f"counts as {OBJECT_WEIGHT}, and a variable again for each use.",
                limit="input_values",
            )


def weigh(value: Any) -> int:
    """How many values a variable's value holds; raises LimitExceeded for a list too long."""
    if not isinstance(value, dict | list):
        return 1
    total = 0
    pending: list[Any] = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            total += OBJECT_WEIGHT
            pending.extend(each.values())
        elif isinstance(each, list):
            _check_length(len(each))
            total += 1
            pending.extend(each)
        else:
            total += 1
    return total


def _check_length(items: int) -> None:
    if items > MAX_LIST_ITEMS:
        raise LimitExceeded(
            f"A list holds {items} items, and at most {MAX_LIST_ITEMS:,} are allowed.",
            limit="list_items",
        )


@dataclass(slots=True)
class _InputCounts:
    """An operation or a fragment by itself, and then with what it spreads."""

    literals: int = 0
    longest_list: int = 0
    uses: Counter[str] = field(default_factory=Counter)
    spreads: list[str] = field(default_factory=list)

    def add(self, node: ValueNode | None) -> None:
        """Count the values of a literal, and the variables in it."""
        pending = [node]
        while pending:
            each = pending.pop()
            if isinstance(each, VariableNode):
                self.uses[each.name.value] += 1
            elif isinstance(each, ObjectValueNode):
                self.literals += OBJECT_WEIGHT
                pending.extend(field.value for field in each.fields)
            elif isinstance(each, ListValueNode):
                self.longest_list = max(self.longest_list, len(each.values))
                pending.extend(each.values)
            elif each is not None:
                self.literals += 1

    def spread(self, other: _InputCounts) -> None:
        self.literals += other.literals
        self.longest_list = max(self.longest_list, other.longest_list)
        self.uses.update(other.uses)


def inputs_of(syntax: DocumentNode) -> dict[str, Inputs]:
    """The inputs of each operation of a valid document; each fragment is looked at once."""
    operations: list[tuple[OperationDefinitionNode, _InputCounts]] = []
    fragments: dict[str, _InputCounts] = {}
    for definition in syntax.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations.append((definition, _count(definition.selection_set)))
        elif isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = _count(definition.selection_set)
    for name in fragments:
        _complete(name, fragments)
    return {
        definition.name.value if definition.name else "": _inputs(definition, part, fragments)
        for definition, part in operations
    }


def _inputs(
    definition: OperationDefinitionNode, part: _InputCounts, fragments: Mapping[str, _InputCounts]
) -> Inputs:
    _spread_all(part, fragments)
    defaults: dict[str, int] = {}
    longest = part.longest_list
    for variable in definition.variable_definitions or ():
        default = _InputCounts()
        default.add(variable.default_value)
        defaults[variable.variable.name.value] = default.literals
        longest = max(longest, default.longest_list)
    return Inputs(part.literals, longest, dict(part.uses), defaults)


def _count(root: SelectionSetNode) -> _InputCounts:
    part = _InputCounts()
    pending = [root]
    while pending:
        spreads: set[str] = set()  # twice in one place it is executed once
        for selection in pending.pop().selections:
            if isinstance(selection, FieldNode):
                for argument in selection.arguments or ():
                    part.add(argument.value)
            if isinstance(selection, FragmentSpreadNode):
                spreads.add(selection.name.value)
            elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                pending.append(selection.selection_set)
        part.spreads.extend(spreads)
    return part


def _complete(root: str, fragments: Mapping[str, _InputCounts]) -> None:
    """Add to a fragment what it spreads, those that it spreads first."""
    stack = [root]
    while stack:
        part = fragments[stack[-1]]
        waiting = [name for name in part.spreads if fragments[name].spreads]
        if waiting:
            stack.append(waiting[0])
        else:
            _spread_all(part, fragments)
            stack.pop()


def _spread_all(part: _InputCounts, fragments: Mapping[str, _InputCounts]) -> None:
    for name in part.spreads:
        part.spread(fragments[name])
    part.spreads = []
