"""Parses, limits and validates documents once, and caches them by the hash of their text."""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.graphql.documents.cost import Measured, measure
from gateway.graphql.documents.inputs import Inputs, inputs_of
from gateway.graphql.documents.limits import ERRORS_SHOWN, DocumentLimits, check, refusal
from schema.declarations import FieldRules, operation_rules
from storage.errors import LimitExceeded

RULES = (*specified_rules, OneOfInputValidationRule)
# One validation rule ignores `hide_suggestions`.
_SUGGESTION = re.compile(r" Did you mean .*\?\Z", re.DOTALL)

# A parsed document takes about a hundred times as much memory as its text.
CACHED_DOCUMENTS = 512
CACHED_CHARACTERS = 256_000


class BadDocument(Exception):  # noqa: N818 - the client's mistake
    """The document cannot be executed, for the reasons in `errors`."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A valid document, with what is known of each operation by its name (empty if unnamed)."""

    digest: str
    syntax: DocumentNode
    operations: Mapping[str, OperationType]
    roots: Mapping[str, frozenset[str]]  # the names of each operation's root fields
    rules: Mapping[str, FieldRules]
    costs: Mapping[str, Measured]
    inputs: Mapping[str, Inputs]
    characters: int

    def operation(self, name: str | None) -> OperationType:
        """The type of the operation to execute; raises BadDocument if `name` identifies none."""
        if name is None and len(self.operations) > 1:
            raise bad_document("The document has several operations: name one in operationName.")
        if name is None:
            return next(iter(self.operations.values()))
        if name not in self.operations:
            raise bad_document(f"The document has no operation named {name[:100]!r}.")
        return self.operations[name]

    def name(self, name: str | None) -> str:
        """The name of the operation to execute, empty if it has none."""
        return name or next(iter(self.operations))


def bad_document(message: str) -> BadDocument:
    return BadDocument([GraphQLError(message)])


class Documents:
    """A least-recently-used cache in front of parser and validator, bounded in characters too."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        limits: DocumentLimits | None = None,
        hide_suggestions: bool = True,
        on_lookup: Callable[[bool], None] | None = None,
    ) -> None:
        self._schema = schema
        self._limits = limits or DocumentLimits()
        self._hide_suggestions = hide_suggestions
        self._on_lookup = on_lookup
        self._cache: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0

    def get(self, text: str) -> Document:
        """Return the document of this text; raises BadDocument, which is not cached."""
        digest = self.digest(text)
        document = self.cached(digest)
        if document is None:
            document = self._prepare(text, digest)
            self._store(document)
        return document

    def cached(self, digest: str) -> Document | None:
        """Return the document with this hash if it is cached."""
        document = self._cache.get(digest)
        if self._on_lookup is not None:
            self._on_lookup(document is not None)
        if document is not None:
            self._cache.move_to_end(digest)
        return document

    @staticmethod
    def digest(text: str) -> str:
        """The SHA-256 of a document's text, in hexadecimal digits."""
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def _prepare(self, text: str, digest: str) -> Document:
        syntax = self._parse(text)
        errors = check(syntax, self._limits) or validate(
            self._schema,
            syntax,
            RULES,
            max_errors=ERRORS_SHOWN,
            hide_suggestions=self._hide_suggestions,
        )
        if errors:
            raise BadDocument([self._for_client(error) for error in errors])
        definitions = {
            definition.name.value if definition.name else "": definition
            for definition in syntax.definitions
            if isinstance(definition, OperationDefinitionNode)
        }
        if not definitions:
            raise bad_document("The document has no operation.")
        operations = {name: definition.operation for name, definition in definitions.items()}
        roots = {name: _roots(definition, syntax) for name, definition in definitions.items()}
        rules = {name: operation_rules(self._root(operations[name]), roots[name]) for name in roots}
        costs = {
            name: measure(self._schema, syntax, definition)
            for name, definition in definitions.items()
        }
        inputs = inputs_of(syntax)
        return Document(digest, syntax, operations, roots, rules, costs, inputs, len(text))

    def _root(self, operation: OperationType) -> GraphQLObjectType:
        root = self._schema.get_root_type(operation)
        assert root is not None
        return root

    def _for_client(self, error: GraphQLError) -> GraphQLError:
        """The error without internals: limits by name, suggestions only where allowed."""
        error = _as_limit(error, self._limits)
        if self._hide_suggestions:
            error.message = _SUGGESTION.sub("", error.message)
        return error

    def _parse(self, text: str) -> DocumentNode:
        allowed = self._limits.tokens
        try:
            return parse(text, max_lexical_tokens=allowed, max_comments=allowed)
        except GraphQLError as error:
            raise BadDocument([_as_limit(error, self._limits)]) from None

    def _store(self, document: Document) -> None:
        if document.characters > CACHED_CHARACTERS // 4:
            return
        self._cache[document.digest] = document
        self._characters += document.characters
        while len(self._cache) > CACHED_DOCUMENTS or self._characters > CACHED_CHARACTERS:
            _digest, oldest = self._cache.popitem(last=False)
            self._characters -= oldest.characters


def _roots(operation: OperationDefinitionNode, syntax: DocumentNode) -> frozenset[str]:
    """The names of an operation's root fields, including those in fragments."""
    fragments = {
        definition.name.value: definition
        for definition in syntax.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    names: set[str] = set()
    pending = [operation.selection_set]
    while pending:
        for selection in pending.pop().selections:
            if isinstance(selection, FieldNode):
                names.add(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                pending.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                # Removed from the dictionary, so that each is visited once.
                fragment = fragments.pop(selection.name.value, None)
                pending.extend([fragment.selection_set] if fragment else [])
    return frozenset(names)


def _as_limit(error: GraphQLError, limits: DocumentLimits) -> GraphQLError:
    """Turn an error of parser or validator about a limit into ours; they differ only in text."""
    if "Document contains more than" in error.message:
        return refusal("tokens", limits.tokens)
    if "nested too deeply" in error.message:
        return refusal("depth", limits.depth)
    if error.message == "Validation aborted.":
        return GraphQLError(
            "The document selects the same fields in too many places: use fewer fragments, or "
            "select each field once.",
            extensions={"code": LimitExceeded.code, "limit": "comparisons"},
        )
    return error
