"""Documents made harder: switches, fragments, aliases, and the same field twice."""

import random
from typing import Any

from graphql import Visitor, parse, print_ast, visit
from graphql.language import FieldNode, OperationDefinitionNode, SelectionSetNode

SWITCHES = ("@include(if: $yes)", "@skip(if: $yes)", "@skip(if: $no)", "@include(if: true)")


class _Twister(Visitor):
    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def leave_field(self, node: FieldNode, *_: Any) -> Any:
        if self._chance.random() > 0.12 or node.directives:
            return None
        given = {name: getattr(node, name) for name in node.keys}
        switch = _selections(f"{{ field {self._chance.choice(SWITCHES)} }}").selections[0]
        return FieldNode(**{**given, "directives": switch.directives})

    def leave_selection_set(self, node: SelectionSetNode, *_: Any) -> Any:
        text = print_ast(node)
        if self._chance.random() < 0.1:  # a fragment without a type, and the fields once more
            switch = self._chance.choice(SWITCHES)
            return _selections(f"{{ ... {switch} {text} {text[1:-1]} }}")
        if self._chance.random() < 0.1:
            return _selections(f"{{ __typename {text[1:-1]} }}")
        return None


def _selections(text: str) -> Any:
    operation = parse(text, no_location=True).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return operation.selection_set


def twisted(text: str, number: int) -> str:
    """The first query of a document, twisted, with the variables that the switches need."""
    operations = [
        node for node in parse(text).definitions if isinstance(node, OperationDefinitionNode)
    ]
    twisted = visit(operations[0].selection_set, _Twister(random.Random(number)))
    return f"query($yes: Boolean!, $no: Boolean! = false) {print_ast(twisted)} {_fragments(text)}"


def _fragments(text: str) -> str:
    return " ".join(
        print_ast(node)
        for node in parse(text).definitions
        if not isinstance(node, OperationDefinitionNode)
    )
