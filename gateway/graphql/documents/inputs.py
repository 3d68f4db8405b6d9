"""Counts the input values of an operation before any of them is coerced.

Each field that uses a variable coerces it again, and an input object takes a tenth of a
millisecond: a kilobyte of them, used sixty times, would block all other requests for seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
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


@dataclass(slots=True)
class Inputs:
    """The input values of an operation or a fragment, including the fragments it spreads."""

    literals: int = 0
    longest_list: int = 0
    uses: Counter[str] = field(default_factory=Counter)  # of each variable
    defaults: dict[str, int] = field(default_factory=dict)  # values in each variable's default

    def add(self, literal: ValueNode | None) -> None:
        """Counts the values of a literal, and the variables in it."""
        pending = [literal]
        while pending:
            node = pending.pop()
            if isinstance(node, VariableNode):
                self.uses[node.name.value] += 1
            elif isinstance(node, ObjectValueNode):
                self.literals += OBJECT_WEIGHT
                pending.extend(field.value for field in node.fields)
            elif isinstance(node, ListValueNode):
                self.longest_list = max(self.longest_list, len(node.values))
                pending.extend(node.values)
            elif node is not None:
                self.literals += 1

    def include(self, other: Inputs) -> None:
        self.literals += other.literals
        self.longest_list = max(self.longest_list, other.longest_list)
        self.uses.update(other.uses)

    def check(self, variables: Mapping[str, Any] | None) -> None:
        """Raises LimitExceeded if the fields would get too many values together."""
        _check_length(self.longest_list)
        given = variables or {}
        total = self.literals
        for name, times in self.uses.items():
            values = weigh(given[name]) if name in given else self.defaults.get(name, 0)
            total += values * times
        if total > MAX_INPUT_VALUES:
            raise LimitExceeded(
                f"The arguments hold more than {MAX_INPUT_VALUES:,} values together; an object "
                f"counts as {OBJECT_WEIGHT}, and a variable again for each use.",
                limit="input_values",
            )


def weigh(variable: Any) -> int:
    """Counts the values in a variable; raises LimitExceeded for a list that is too long."""
    total = 0
    pending = [variable]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            total += OBJECT_WEIGHT
            pending.extend(value.values())
        elif isinstance(value, list):
            _check_length(len(value))
            total += 1
            pending.extend(value)
        else:
            total += 1
    return total


def _check_length(items: int) -> None:
    if items > MAX_LIST_ITEMS:
        raise LimitExceeded(
            f"A list holds {items} items, and at most {MAX_LIST_ITEMS:,} are allowed.",
            limit="list_items",
        )


def inputs_of(
    fragments: Mapping[str, FragmentDefinitionNode], definition: OperationDefinitionNode
) -> Inputs:
    """The inputs of an operation of a valid document; counts each fragment once."""
    inputs = _count(definition.selection_set, fragments, {})
    for variable in definition.variable_definitions or ():
        default = Inputs()
        default.add(variable.default_value)
        inputs.defaults[variable.variable.name.value] = default.literals
        inputs.longest_list = max(inputs.longest_list, default.longest_list)
    return inputs


def _count(
    root: SelectionSetNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    counted: dict[str, Inputs],
) -> Inputs:
    """Counts a selection; recurses into fragments, whose number is limited."""
    count = Inputs()
    pending = [root]
    while pending:
        spreads: set[str] = set()  # a fragment spread twice in one place is executed once
        for selection in pending.pop().selections:
            if isinstance(selection, FieldNode):
                for argument in selection.arguments or ():
                    count.add(argument.value)
            if isinstance(selection, FragmentSpreadNode):
                spreads.add(selection.name.value)
            elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                pending.append(selection.selection_set)
        for name in spreads:
            if name not in counted:
                counted[name] = _count(fragments[name].selection_set, fragments, counted)
            count.include(counted[name])
    return count
