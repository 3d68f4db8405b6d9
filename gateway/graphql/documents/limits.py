"""The limits of a GraphQL document, counted in linear time before it is validated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from gateway.graphql.documents.inputs import Inputs


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """The maximum of each; docs/limits.md explains them."""

    tokens: int = 4_000
    depth: int = 16  # the usual introspection query is 15 deep
    fields: int = 2_000  # with fragments spread, so that nested spreads cannot multiply
    aliases: int = 60
    operations: int = 10
    fragments: int = 50
    variables: int = 50
    directives: int = 50
    # Validation compares fields of the same name in pairs, which takes quadratic time.
    repeated_fields: int = 40


ERRORS_SHOWN = 10
# Nested spreads would count up to numbers of thousands of digits.
_COUNT_LIMIT = 10**9


@dataclass(slots=True)
class Counts:
    """The size of a document; a fragment counts in each place that spreads it."""

    inputs: list[Inputs] = field(default_factory=list)  # of each operation
    depth: int = 0
    fields: int = 0
    aliases: int = 0
    operations: int = 0
    fragments: int = 0
    variables: int = 0
    directives: int = 0
    repeated_fields: int = 0


class _Spread(NamedTuple):
    fragment: str
    depth: int


@dataclass(slots=True)
class _Size:
    """The size of an operation or fragment, at first without the fragments it spreads."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    inputs: Inputs = field(default_factory=Inputs)
    spreads: list[_Spread] = field(default_factory=list)


def check(counts: Counts, limits: DocumentLimits) -> list[GraphQLError]:
    """Return an error for each limit that a document exceeds."""
    return [
        refusal(limit.name, getattr(limits, limit.name))
        for limit in fields(limits)
        if limit.name != "tokens" and getattr(counts, limit.name) > getattr(limits, limit.name)
    ]


def refusal(limit: str, allowed: int) -> GraphQLError:
    subject = limit.replace("_", " ")
    if limit == "depth":
        message = f"The query is nested too deeply: at most {allowed} levels are allowed."
    else:
        message = f"The document has too many {subject}: at most {allowed} are allowed."
    code = "QUERY_TOO_DEEP" if limit == "depth" else "LIMIT_EXCEEDED"
    return GraphQLError(message, extensions={"code": code, "limit": limit, "allowed": allowed})


def count(document: DocumentNode) -> Counts:
    """Count everything that has a limit; visits each node once."""
    counts = Counts()
    operations: list[_Size] = []
    fragments: dict[str, _Size] = {}
    for definition in document.definitions:
        counts.directives += len(getattr(definition, "directives", None) or ())
        if isinstance(definition, OperationDefinitionNode):
            counts.operations += 1
            variables = definition.variable_definitions or ()
            counts.variables = max(counts.variables, len(variables))
            counts.directives += sum(len(variable.directives or ()) for variable in variables)
            operation = _size_of(definition.selection_set, counts)
            operation.inputs.add_defaults(definition)
            operations.append(operation)
        elif isinstance(definition, FragmentDefinitionNode):
            counts.fragments += 1
            fragments[definition.name.value] = _size_of(definition.selection_set, counts)
    for name in _leaves_first(fragments):
        _add_spreads(fragments[name], fragments)
    for operation in operations:
        _add_spreads(operation, fragments)
        counts.inputs.append(operation.inputs)
        counts.depth = max(counts.depth, operation.depth)
        counts.fields += operation.fields
        counts.aliases += operation.aliases
    return counts


def _size_of(root: SelectionSetNode, counts: Counts) -> _Size:
    """Measure a selection; directives and repeated fields are added to `counts`."""
    size = _Size()
    # An inline fragment shares the set of names, by type, with the selection around it.
    stack: list[tuple[SelectionSetNode, int, str, set[str]]] = [(root, 1, "", set())]
    while stack:
        selection_set, depth, condition, names = stack.pop()
        spreads: set[str] = set()
        for selection in selection_set.selections:
            counts.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                size.depth = max(size.depth, depth)
                size.fields += 1
                size.aliases += selection.alias is not None
                for argument in selection.arguments or ():
                    size.inputs.add(argument.value)
                name = f"{condition}.{(selection.alias or selection.name).value}"
                counts.repeated_fields += name in names
                names.add(name)
                if selection.selection_set:
                    stack.append((selection.selection_set, depth + 1, "", set()))
            elif isinstance(selection, FragmentSpreadNode):
                spreads.add(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                inner = selection.type_condition
                inner_condition = inner.name.value if inner else condition
                stack.append((selection.selection_set, depth, inner_condition, names))
        # A fragment spread twice in one place is executed once.
        size.spreads.extend(_Spread(name, depth - 1) for name in spreads)
    return size


def _add_spreads(size: _Size, fragments: Mapping[str, _Size]) -> None:
    """Add the sizes of the spread fragments; validation reports unknown ones."""
    for spread in size.spreads:
        fragment = fragments.get(spread.fragment)
        if fragment is not None:
            size.depth = max(size.depth, spread.depth + fragment.depth)
            size.fields = min(size.fields + fragment.fields, _COUNT_LIMIT)
            size.aliases = min(size.aliases + fragment.aliases, _COUNT_LIMIT)
            size.inputs.include(fragment.inputs)


def _leaves_first(fragments: Mapping[str, _Size]) -> Iterator[str]:
    """Yield each fragment after those it spreads; cycles are cut, as validation refuses them."""
    seen: set[str] = set()
    for root in fragments:
        stack = [(root, False)]
        while stack:
            name, entered = stack.pop()
            if entered:
                yield name
            elif name in fragments and name not in seen:
                seen.add(name)
                stack.append((name, True))
                stack.extend((spread.fragment, False) for spread in fragments[name].spreads)
