"""Attacks: documents in which something of the hidden tenant stands in the place of an argument."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_object_type,
)

from resolvers.identifiers import encode
from tests.crawl.alerts import rule_id
from tests.crawl.dealing import Tried, Use, deal
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
from tests.crawl.world import OWN_PROJECT, OWN_PROJECT_ID
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
    "AlertPresetInput.name": "build_slow",
    "CreateAlertInput.name": "heron-rule-0",
    "UpdateAlertInput.id": encode("Alert", OWN_PROJECT_ID, rule_id(OWN_PROJECT_ID, 0)),
    "DeploymentEventInput.type": "SUCCEEDED",
    "DeploymentEventInput.deployment": "heron-new",
    # Nobody's: a new key is a random text, which is another in each world.
    "CreateProjectKeyInput.project": "nothing-of-this-name",
}
# Of an event besides, since the answer has an id and a time of the server's own without them.
OF_EVENTS = {"id": "heron-event", "time": NOW.isoformat(), "project": OWN_PROJECT}
# A list that takes nothing but labels: a name alone is refused before it is looked at.
LABELS = "SampleFilter.labels"
# What an argument, or any of a field, needs beside it: it is refused unread without.
BESIDE: dict[str, dict[str, Any]] = {
    "search": {"range": {"last": "P9D"}},
    "Query.alertPreview": {"project": OWN_PROJECT},
}
# Events are sent by the hundred; a call takes at most 500.
EVENTS = "Mutation.recordEvents"
AT_ONCE = 50
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
        return {**_besides(inner), **needed}
    if is_list_type(inner):
        return [own(inner.of_type, place, name)]
    return OWN_PROJECT if name == "project" else harmless(kind, place, name)


def _besides(kind: GraphQLInputObjectType) -> dict[str, Any]:
    """Optional fields without which a value leads nowhere."""
    named = {one: OWN[place] for one in kind.fields if (place := f"{kind.name}.{one}") in OWN}
    if OF_EVENTS.keys() <= kind.fields.keys():
        return OF_EVENTS | named
    # What belongs to no project is for admins, and is refused before it is looked at.
    is_owned = "project" in kind.fields and not is_one_of(kind)
    return ({"project": OWN_PROJECT} if is_owned else {}) | named


def sights(depth: int = DEPTH) -> Iterator[Document]:
    """Everything there is to see, from each root."""
    for parent, name, definition in roots():
        writer, kind = Writer(own), get_named_type(definition.type)
        # A node may be of every type, each of which has a root of its own.
        below = writer.everything(kind, 1 if is_abstract_type(kind) else depth)
        call = writer.call(parent, name, definition, {})
        yield writer.document(operation_of(parent), f"{call} {below}", f"{parent}.{name}")


def attacks(secrets: Secrets, place: str | None = None) -> Iterator[Document]:
    """Every argument of every field, or of one, with what fits it and its part of the rest."""
    for use in uses(secrets):
        if place in {None, use.field}:
            yield from _documents(use, use.dealt())


def _documents(use: Use, values: list[Any]) -> Iterator[Document]:
    for value in _together(values) if use.field == EVENTS else values:
        given = {use.argument: value}
        if isinstance(use.parent, str):
            yield _at_root(use.parent, use.name, use.definition, given, use.depth)
        else:
            yield _below(use.parent, use.name, use.definition, given)


def _together(values: list[Any]) -> Iterator[Any]:
    """Many events in one call: each has its own result, and an id of its own."""
    for start in range(0, len(values), AT_ONCE):
        events = []
        for number, value in enumerate(values[start : start + AT_ONCE], start):
            for one in value["events"]:
                ((fact, event),) = one.items()
                own_id = {"id": f"heron-event-{number}"} if event["id"] == OF_EVENTS["id"] else {}
                events.append({fact: event | own_id})
        yield {"events": events}


@lru_cache(maxsize=1)
def uses(secrets: Secrets) -> list[Use]:
    """Every argument of every field, with all values and the turn at which it takes each."""
    found: list[Use] = []
    for parent, name, definition in roots():
        for argument, kind in definition.args.items():
            values = list(_tried_as(f"{parent}.{name}", argument, kind.type, secrets))
            found += (
                Use(parent, name, definition, argument, depth, values)
                for depth in _depths(definition)
            )
    for holder, name, definition in fields_with_arguments():
        for argument, kind in definition.args.items():
            values = list(_tried_as(f"{holder.name}.{name}", argument, kind.type, secrets))
            found.append(Use(holder, name, definition, argument, 1, values))
    deal(found)
    return found


def _depths(definition: GraphQLField) -> tuple[int, ...]:
    """One thing is found in another way when no more is asked than what it is."""
    return (0, 1) if is_object_type(definition.type) else (1,)


def _at_root(
    parent: str, name: str, definition: GraphQLField, given: dict[str, Any], depth: int
) -> Document:
    writer = Writer(own)
    below = writer.everything(get_named_type(definition.type), depth)
    (argument,) = given
    besides = BESIDE.get(argument, {}) | BESIDE.get(f"{parent}.{name}", {})
    call = writer.call(parent, name, definition, besides | given)
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


def _tried_as(field: str, argument: str, kind: Any, secrets: Secrets) -> Iterator[Tried]:
    if argument in {"after", "before"}:
        # All lists read their cursors in one way, so that they share the work.
        for one in secrets.cursors:
            yield Tried(one, argument, secrets.fits(one, field))
    else:
        yield from tried(kind, secrets, f"{field}.{argument}")


def tried(kind: Any, secrets: Secrets, place: str, above: tuple[str, ...] = ()) -> Iterator[Tried]:
    """Values of a type: each thing of the hidden tenant at each place inside it."""
    inner = get_nullable_type(kind)
    if is_list_type(inner):
        yield from _lists(get_nullable_type(inner.of_type), secrets, place, above)
    elif is_enum_type(inner):
        yield from (Tried(one, place) for one in inner.values)
    elif is_input_object_type(inner):
        yield from _objects(inner, secrets, above)
    elif inner.name in {"ID", "String"}:
        found = _ids(secrets) if inner.name == "ID" else (*secrets.names, *_some_ids(secrets))
        yield from (Tried(one, place, secrets.fits(one, place)) for one in found)
    else:
        yield from (Tried(one, place) for one in VALUES[inner.name])


def _lists(item: Any, secrets: Secrets, place: str, above: tuple[str, ...]) -> Iterator[Tried]:
    every = list(tried(item, secrets, place, above))
    if not is_input_object_type(item):  # a list in a list of alternatives tries nothing new
        yield Tried([one.value for one in every][:MOST_NAMES], place, everywhere=True)
    yield from (one.within([one.value]) for one in every)


def _ids(secrets: Secrets) -> Iterator[str]:
    yield from (*secrets.uuids[:4], *secrets.ids, *secrets.uuids[4:])


def _some_ids(secrets: Secrets) -> Iterator[str]:
    """A few of each kind, for places that want none."""
    for each in (secrets.ids, secrets.cursors, secrets.uuids):
        yield from each[:3]


def _objects(kind: Any, secrets: Secrets, above: tuple[str, ...]) -> Iterator[Tried]:
    if above.count(kind.name):
        return
    needed = {} if is_one_of(kind) else own(kind, kind.name, kind.name)
    for name, definition in kind.fields.items():
        place = f"{kind.name}.{name}"
        if place == LABELS:
            for one in secrets.labels:
                yield Tried({**needed, name: [one]}, place, everywhere=True)
        for each in tried(definition.type, secrets, place, (*above, kind.name)):
            yield each.within({**needed, name: each.value})


def is_mutation(document: Document) -> bool:
    return document.text.startswith("mutation")


def is_read(document: Document) -> bool:
    return not is_mutation(document)


def places() -> list[str]:
    """All fields that take arguments."""
    top = [f"{parent}.{name}" for parent, name, definition in roots() if definition.args]
    below = [f"{kind.name}.{name}" for kind, name, _ in fields_with_arguments()]
    return [*top, *below]
