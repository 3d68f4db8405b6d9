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
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
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

    def add_defaults(self, definition: OperationDefinitionNode) -> None:
        """Counts the values in the defaults of an operation's variables."""
        for variable in definition.variable_definitions or ():
            default = Inputs()
            default.add(variable.default_value)
            self.defaults[variable.variable.name.value] = default.literals
            self.longest_list = max(self.longest_list, default.longest_list)

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
