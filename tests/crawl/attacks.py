"""Attacks: documents in which something of the hidden tenant stands in the place of an argument."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
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
    is_required_input_field,
)

from tests.crawl.documents import (
    Document,
    Writer,
    fields_with_arguments,
    operation_of,
    roots,
    wrapped,
)
from tests.crawl.secrets import Secrets
from tests.crawl.values import harmless
from tests.schema.platform import NOW

# Deep enough for everything that hangs on a thing of a page: its links, and their figures.
DEPTH = 3
# Names of the own tenant, where a document must lead somewhere.
OWN = {
    "Query.project.slug": "heron",
    "Query.network.name": "metis",
    "Query.template.slug": "template-1",
    "Query.metrics.measures": ["ATTEMPTS", "ACTIVE_PROJECTS", "DURATION_P50_MS"],
    "DeploymentEventInput.type": "SUCCEEDED",
    "DeploymentEventInput.deployment": "heron-new",
}
# What a value is given besides, without which it is refused before it is looked at.
BESIDES: dict[str, dict[str, Any]] = {
    "DeploymentFilter": {"createdAt": {"gte": (NOW - timedelta(days=9)).isoformat()}},
    "DeploymentEventInput": {"time": NOW.isoformat(), "project": "heron"},
}
VALUES: dict[str, list[Any]] = {
    "Int": [0, 1, 100],
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
            for one, definition in inner.fields.items()
            if is_required_input_field(definition)
        }
        return {**BESIDES.get(inner.name, {}), **needed}
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
    selection = f"{writer.call(parent, name, definition, given)} {below}"
    return writer.document(operation_of(parent), selection, _about(parent, name, given))


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
        yield from (*secrets.uuids, *secrets.ids)
    elif inner.name == "String":
        # A list below a filter tries all of them at once.
        yield from secrets.names if len(above) > 1 else secrets.every()
    else:
        yield from VALUES[inner.name]


def _lists(item: Any, secrets: Secrets, above: tuple[str, ...]) -> Iterator[Any]:
    if is_input_object_type(item):
        # A list in a list of alternatives tries nothing new.
        yield from ([one] for one in tried(item, secrets, above))
        return
    every = list(dict.fromkeys(tried(item, secrets, above)))[:90]
    yield every
    if not above or len(above) == 1:
        yield from ([one] for one in every)


def _objects(kind: Any, secrets: Secrets, above: tuple[str, ...]) -> Iterator[Any]:
    if above.count(kind.name):
        return
    needed = own(kind, kind.name, kind.name)
    for name, definition in kind.fields.items():
        if get_named_type(definition.type).name == kind.name:
            # and, or, not: once with a condition that names the hidden tenant.
            condition = {"project": {"in": ["heron", "quagga"]}} if "project" in kind.fields else {}
            many = is_list_type(get_nullable_type(definition.type))
            yield {**needed, name: [condition] if many else condition}
            continue
        for value in tried(definition.type, secrets, (*above, kind.name)):
            yield {**needed, name: value}


def is_mutation(document: Document) -> bool:
    return document.text.startswith("mutation")


def places() -> list[str]:
    """All fields that take arguments."""
    top = [f"{parent}.{name}" for parent, name, definition in roots() if definition.args]
    below = [f"{kind.name}.{name}" for kind, name, _ in fields_with_arguments()]
    return [*top, *below]
