"""Parses, limits and validates documents once, and caches them by the hash of their text."""

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.graphql.documents.cost import Measured, measure
from gateway.graphql.documents.inputs import Inputs
from gateway.graphql.documents.limits import ERRORS_SHOWN, DocumentLimits, check, count, refusal
from schema.declarations import FieldRules, operation_rules
from storage.errors import InvalidInput, LimitExceeded

RULES = (*specified_rules, OneOfInputValidationRule)
# One validation rule ignores `hide_suggestions`.
_SUGGESTION = re.compile(r" Did you mean .*\?\Z", re.DOTALL)

# A parsed document takes about a hundred times as much memory as its text.
CACHED_DOCUMENTS = 512
CACHED_CHARACTERS = 256_000


class BadDocument(InvalidInput):
    """The document or its variables cannot be executed, for the reasons in `errors`."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """An operation of a valid document: the properties that do not depend on variables."""

    name: str  # empty if it has none
    kind: OperationType
    roots: frozenset[str]  # the names of its root fields, including those in fragments
    rules: FieldRules
    measured: Measured
    inputs: Inputs

    @property
    def is_query(self) -> bool:
        return self.kind is OperationType.QUERY

    @property
    def is_mutation(self) -> bool:
        return self.kind is OperationType.MUTATION

    @property
    def is_subscription(self) -> bool:
        return self.kind is OperationType.SUBSCRIPTION


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A valid document and its operations by name."""

    digest: str
    syntax: DocumentNode
    operations: Mapping[str, Operation]
    characters: int

    def operation(self, name: str | None) -> Operation:
        """The operation to execute; raises BadDocument if `name` identifies none."""
        if name is None and len(self.operations) > 1:
            raise bad_document("The document has several operations: name one in operationName.")
        if name is None:
            return next(iter(self.operations.values()))
        if name not in self.operations:
            raise bad_document(f"The document has no operation named {name[:100]!r}.")
        return self.operations[name]


def bad_document(message: str, code: str = BadDocument.code) -> BadDocument:
    return BadDocument([GraphQLError(message, extensions={"code": code})])


class Documents:
    """A least-recently-used cache in front of parser and validator, bounded in characters too."""

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        limits: DocumentLimits | None = None,
        hide_suggestions: bool = True,
        on_lookup: Callable[[bool], None] = lambda _found: None,
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
        counts = count(syntax)
        errors = check(counts, self._limits) or validate(
            self._schema,
            syntax,
            RULES,
            max_errors=ERRORS_SHOWN,
            hide_suggestions=self._hide_suggestions,
        )
        if errors:
            raise BadDocument([self._for_client(error) for error in errors])
        fragments = {
            definition.name.value: definition
            for definition in syntax.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        definitions = [
            definition
            for definition in syntax.definitions
            if isinstance(definition, OperationDefinitionNode)
        ]
        operations = [
            self._operation(definition, fragments, inputs)
            for definition, inputs in zip(definitions, counts.inputs, strict=True)
        ]
        if not operations:
            raise bad_document("The document has no operation.")
        by_name = {operation.name: operation for operation in operations}
        return Document(digest, syntax, by_name, len(text))

    def _operation(
        self,
        definition: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        inputs: Inputs,
    ) -> Operation:
        root = self._schema.get_root_type(definition.operation)
        assert root is not None
        measured = measure(self._schema, root, fragments, definition)
        roots = frozenset(node.name.value for node, _points in measured.fields)
        return Operation(
            definition.name.value if definition.name else "",
            definition.operation,
            roots,
            operation_rules(root, roots),
            measured,
            inputs,
        )

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
