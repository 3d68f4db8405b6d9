"""What one GraphQL document may hold, counted in linear time before it is validated."""

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


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """The largest allowed number of each; docs/limits.md says what they mean."""

    tokens: int = 4_000
    depth: int = 16  # the usual introspection query is 15 deep
    fields: int = 2_000  # after fragments are spread, so that nested spreads cannot multiply
    aliases: int = 60
    operations: int = 10
    fragments: int = 50
    variables: int = 50
    directives: int = 50
    # Validation compares same-named fields pair by pair, which grows with their square.
    repeated_fields: int = 40


ERRORS_SHOWN = 10
# Fragments that double would make numbers of thousands of digits; nobody asks how many exactly.
_COUNTED_TO = 10**9


@dataclass(slots=True)
class Counts:
    """What a document holds; a fragment counts once for each place it is spread."""

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
class _SelectionCounts:
    """An operation or a fragment by itself, and the fragments it spreads."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    spreads: list[_Spread] = field(default_factory=list)


def check(document: DocumentNode, limits: DocumentLimits) -> list[GraphQLError]:
    """The limits this document breaks, each as an error that names it."""
    counts = count(document)
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
    """Count everything that has a limit; each node of the document is looked at once."""
    counts = Counts()
    operations: list[_SelectionCounts] = []
    fragments: dict[str, _SelectionCounts] = {}
    for definition in document.definitions:
        counts.directives += len(getattr(definition, "directives", None) or ())
        if isinstance(definition, OperationDefinitionNode):
            counts.operations += 1
            variables = definition.variable_definitions or ()
            counts.variables = max(counts.variables, len(variables))
            counts.directives += sum(len(variable.directives or ()) for variable in variables)
            operations.append(_measure(definition.selection_set, counts))
        elif isinstance(definition, FragmentDefinitionNode):
            counts.fragments += 1
            fragments[definition.name.value] = _measure(definition.selection_set, counts)
    for name in _leaves_first(fragments):
        _add_spreads(fragments[name], fragments)
    for operation in operations:
        _add_spreads(operation, fragments)
        counts.depth = max(counts.depth, operation.depth)
        counts.fields += operation.fields
        counts.aliases += operation.aliases
    return counts


def _measure(root: SelectionSetNode, counts: Counts) -> _SelectionCounts:
    part = _SelectionCounts()
    # What an inline fragment selects, the set around it selects: they share their names, by type.
    stack: list[tuple[SelectionSetNode, int, str, set[str]]] = [(root, 1, "", set())]
    while stack:
        selection_set, depth, condition, names = stack.pop()
        spreads: set[str] = set()
        for selection in selection_set.selections:
            counts.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                part.depth = max(part.depth, depth)
                part.fields += 1
                part.aliases += selection.alias is not None
                name = f"{condition}.{(selection.alias or selection.name).value}"
                counts.repeated_fields += name in names
                names.add(name)
                if selection.selection_set:
                    stack.append((selection.selection_set, depth + 1, "", set()))
            elif isinstance(selection, FragmentSpreadNode):
                spreads.add(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                of = selection.type_condition.name.value if selection.type_condition else condition
                stack.append((selection.selection_set, depth, of, names))
        # The same fragment twice in one place is executed once.
        part.spreads.extend(_Spread(name, depth - 1) for name in spreads)
    return part


def _add_spreads(part: _SelectionCounts, fragments: Mapping[str, _SelectionCounts]) -> None:
    """Add what the spread fragments hold; unknown ones are for validation to name."""
    for spread in part.spreads:
        fragment = fragments.get(spread.fragment)
        if fragment is not None:
            part.depth = max(part.depth, spread.depth + fragment.depth)
            part.fields = min(part.fields + fragment.fields, _COUNTED_TO)
            part.aliases = min(part.aliases + fragment.aliases, _COUNTED_TO)


def _leaves_first(fragments: Mapping[str, _SelectionCounts]) -> Iterator[str]:
    """Every fragment after those it spreads. A cycle is cut: validation refuses it."""
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
