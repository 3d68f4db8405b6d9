"""Attacks: documents in which something of the hidden tenant stands in the place of an argument."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_object_type,
)

from tests.crawl.documents import (
    Document,
    Writer,
    fields_with_arguments,
    is_one_of,
    needed_fields,
    operation_of,
    roots,
    wrapped,
)
from tests.crawl.secrets import Secrets
from tests.crawl.values import harmless
from tests.schema.platform import NOW

# More names in one list are refused.
MOST_NAMES = 100
# Deep enough for everything that hangs on a thing of a page: its links, and their figures.
DEPTH = 3
# Names of the own tenant, where a document must lead somewhere.
OWN = {
    "Query.project.slug": "heron",
    "Query.network.name": "metis",
    "Query.template.slug": "template-1",
    "Query.metrics.measures": [
        "DEPLOYMENT_ATTEMPTS",
        "DEPLOYMENT_ACTIVE_PROJECTS",
        "DEPLOYMENT_DURATION_P50_MS",
        "BUILD_ATTEMPTS",
        "BUILD_PHASE_DURATION_P95_MS",
        "FUNCTION_INVOCATIONS",
        "API_CALLS",
    ],
    "DeploymentEventInput.type": "SUCCEEDED",
    "DeploymentEventInput.deployment": "heron-new",
}
# Of an event besides, since the answer has an id and a time of the server's own without them.
OF_EVENTS = {"id": "heron-event", "time": NOW.isoformat(), "project": "heron"}
# A list that takes nothing but labels: a name alone is refused before it is looked at.
LABELS = "SampleFilter.labels"
# What an argument needs beside it, without which it is refused before it is looked at.
BESIDE: dict[str, dict[str, Any]] = {
    "search": {"range": {"last": "P9D"}},
    "trigger": {"project": "heron"},
}
VALUES: dict[str, list[Any]] = {
    "Int": [0, 1, 100],
    "Long": [0, 5_000_000_000],
    "Float": [0.5, 1e9],
    "Boolean": [True, False],
    "JSON": [{"note": "quagga-attribute"}],
    "DateTime": [NOW.isoformat()],
    "Date": [NOW.date().isoformat()],
    "Duration": ["P1D", "P30D"],
    "TimeZone": ["Asia/Kathmandu"],
}


def own(kind: Any, place: str, name: str) -> Any:
    """The value an argument must have, such that the own tenant's data is found."""
    if place in OWN:
        return OWN[place]
    inner = get_nullable_type(kind)
    if is_input_object_type(inner):
        needed = {
            one: own(definition.type, f"{inner.name}.{one}", one)
            for one, definition in needed_fields(inner)
        }
        besides = OF_EVENTS if OF_EVENTS.keys() <= inner.fields.keys() else {}
        return {**besides, **needed}
    if is_list_type(inner):
        return [own(inner.of_type, place, name)]
    return harmless(kind, place, name)


def sights() -> Iterator[Document]:
    """Everything there is to see, from each root."""
    for parent, name, definition in roots():
        writer = Writer(own)
        below = writer.everything(get_named_type(definition.type), DEPTH)
        call = writer.call(parent, name, definition, {})
        yield writer.document(operation_of(parent), f"{call} {below}", f"{parent}.{name}")


def attacks(secrets: Secrets, place: str | None = None) -> Iterator[Document]:
    """Every argument of every field, or of one, with everything that fits it."""
    for parent, name, definition in roots():
        if place in {None, f"{parent}.{name}"}:
            for argument, kind in definition.args.items():
                for value in _tried_as(argument, kind.type, secrets):
                    for depth in _depths(definition):
                        yield _at_root(parent, name, definition, {argument: value}, depth)
    for holder, name, definition in fields_with_arguments():
        if place in {None, f"{holder.name}.{name}"}:
            for argument, kind in definition.args.items():
                for value in _tried_as(argument, kind.type, secrets):
                    yield _below(holder, name, definition, {argument: value})


def _depths(definition: GraphQLField) -> tuple[int, ...]:
    """One thing is found in another way when no more is asked than what it is."""
    return (0, 1) if is_object_type(definition.type) else (1,)


def _at_root(
    parent: str, name: str, definition: GraphQLField, given: dict[str, Any], depth: int
) -> Document:
    writer = Writer(own)
    below = writer.everything(get_named_type(definition.type), depth)
    (argument,) = given
    call = writer.call(parent, name, definition, BESIDE.get(argument, {}) | given)
    return writer.document(operation_of(parent), f"{call} {below}", _about(parent, name, given))


def _below(
    holder: GraphQLObjectType, name: str, definition: GraphQLField, given: dict[str, Any]
) -> Document:
    writer = Writer(own)
    below = writer.everything(get_named_type(definition.type), 1)
    selection = f"{writer.call(holder.name, name, definition, given)} {below}"
    about = _about(holder.name, name, given)
    return writer.document("query", wrapped(writer, holder, selection), about)


def _about(parent: str, name: str, given: dict[str, Any]) -> str:
    ((argument, value),) = given.items()
    return f"{parent}.{name}({argument}: {value!r})"


def _tried_as(argument: str, kind: Any, secrets: Secrets) -> Iterator[Any]:
    return iter(secrets.cursors) if argument in {"after", "before"} else tried(kind, secrets)


def tried(kind: Any, secrets: Secrets, above: tuple[str, ...] = ()) -> Iterator[Any]:
    """Values of a type: each thing of the hidden tenant at each place inside it."""
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        yield from _lists(get_nullable_type(inner.of_type), secrets, above)
    elif is_enum_type(inner):
        yield from inner.values
    elif is_input_object_type(inner):
        yield from _objects(inner, secrets, above)
    elif inner.name == "ID":
        yield from (*secrets.uuids[:4], *secrets.ids, *secrets.uuids[4:])
    elif inner.name == "String":
        yield from (*secrets.names, *_some_ids(secrets))
    else:
        yield from VALUES[inner.name]


def _lists(item: Any, secrets: Secrets, above: tuple[str, ...]) -> Iterator[Any]:
    if is_input_object_type(item):
        # A list in a list of alternatives tries nothing new.
        yield from ([one] for one in tried(item, secrets, above))
        return
    every = list(dict.fromkeys(tried(item, secrets, above)))
    yield every[:MOST_NAMES]
    yield from ([one] for one in every)


def _some_ids(secrets: Secrets) -> Iterator[str]:
    """A few of each kind, for places that want none."""
    for each in (secrets.ids, secrets.cursors, secrets.uuids):
        yield from each[:3]


def _objects(kind: Any, secrets: Secrets, above: tuple[str, ...]) -> Iterator[Any]:
    if above.count(kind.name):
        return
    needed = {} if is_one_of(kind) else own(kind, kind.name, kind.name)
    for name, definition in kind.fields.items():
        labels = [[one] for one in secrets.labels] if f"{kind.name}.{name}" == LABELS else []
        for value in chain(labels, tried(definition.type, secrets, (*above, kind.name))):
            yield {**needed, name: value}


def is_mutation(document: Document) -> bool:
    return document.text.startswith("mutation")


def places() -> list[str]:
    """All fields that take arguments."""
    top = [f"{parent}.{name}" for parent, name, definition in roots() if definition.args]
    below = [f"{kind.name}.{name}" for kind, name, _ in fields_with_arguments()]
    return [*top, *below]
