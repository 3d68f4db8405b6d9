"""What the hidden tenant is known by: its names, ids and cursors, as it sees them itself."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any
from uuid import UUID

from graphql import GraphQLField, get_named_type, is_object_type

from storage.facts import FACTS
from storage.facts.fact import Entity
from tests.crawl.documents import CORE, Document, roots
from tests.crawl.world import (
    CANARY,
    HERON,
    HIDDEN_PROJECT,
    HIDDEN_SECOND,
    LIMITED,
    QUAGGA,
    World,
    hidden_labels,
    hidden_names,
    plain_id,
)
from tests.schema.platform import ADMIN

# Lists that hold nothing of tenants, or are for administrators.
_OTHER_LISTS = {"auditLog", "serviceTokens", "templates"}
# Alone asked for by a UUID, so theirs are tried first.
_ENTITIES = {fact.noun for fact in FACTS.values() if isinstance(fact, Entity)}
# A page of each list is shorter than the list, so that its cursors lead on.
PAGE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Secrets:
    """Things a stranger may have got hold of."""

    names: tuple[str, ...]
    ids: tuple[str, ...]
    cursors: tuple[str, ...]
    uuids: tuple[str, ...]
    labels: tuple[str, ...]
    # Of ids, UUIDs and cursors: the list or the type that they are of.
    kinds: dict[str, str]

    def fits(self, secret: str, place: str) -> bool:
        """Whether a place ("DeploymentFilter.environments") wants a thing of this kind."""
        kind = _word(self.kinds.get(secret) or secret.removeprefix(CANARY))
        parts = [_word(part) for part in place.split(".")]
        return any(part == kind or (len(part) > 3 and part in kind) for part in parts if kind)

    def every(self) -> tuple[str, ...]:
        return (*self.names, *self.ids, *self.cursors, *self.uuids)


async def found(world: World) -> Secrets:
    document = Document(f"{{ {' '.join(map(_page, lists()))} }}", {}, "identity")
    hidden, every, own = [await _seen(world, document, who) for who in (QUAGGA, ADMIN, HERON)]
    assert all(hidden[name]["edges"] for name in lists()), "a list of the hidden tenant is empty"
    assert any(CANARY in name for name in hidden_names())
    common = {*_texts(own, "id")}
    ids = [text for text in _texts(hidden, "id") if text not in common]
    uuids = [
        [*_texts(hidden[name], "uuid"), *filter(_is_uuid, _texts(hidden[name], "id"))]
        for name in sorted(lists(), key=lambda name: name not in _ENTITIES)
    ]
    ids = _in_turn(
        [text for text in ids if not _is_uuid(text)], lambda id: plain_id(id).split(":")[0]
    )
    (own_project, *_) = (edge["node"]["id"] for edge in own["projects"]["edges"])
    by_list = {
        name: [[*_texts(seen[name], "cursor")] for seen in (hidden, every)] for name in lists()
    }
    cursors = [each for of_list in by_list.values() for each in of_list]
    kinds = dict.fromkeys((HIDDEN_PROJECT, HIDDEN_SECOND, f"{HIDDEN_PROJECT}{LIMITED}"), "project")
    for name in lists():
        kinds |= dict.fromkeys(chain(*by_list[name]), name)
        kinds |= dict.fromkeys(
            filter(_is_uuid, (*_texts(hidden[name], "uuid"), *_texts(hidden[name], "id"))), name
        )
    ids = list(dict.fromkeys([*ids, *(_moved(id, own_project) for id in ids)]))
    kinds |= {id: plain_id(id).split(":")[0] for id in ids}
    return Secrets(
        hidden_names(),
        tuple(ids),
        tuple(dict.fromkeys(filter(None, chain(*zip_longest(*cursors))))),
        tuple(dict.fromkeys(filter(None, chain(*zip_longest(*uuids))))),
        hidden_labels(),
        kinds,
    )


def _in_turn(texts: list[str], kind_of: Callable[[str], str]) -> list[str]:
    """One of each kind after the other, so that the first few are of all kinds."""
    by_kind: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        by_kind.setdefault(kind_of(text), []).append(text)
    return [*filter(None, chain(*zip_longest(*by_kind.values())))]


def lists() -> list[str]:
    """The fields of Query that are lists of what tenants have."""
    return [
        name
        for parent, name, definition in roots()
        if parent == "Query" and _is_connection(definition) and name not in _OTHER_LISTS
    ]


def _is_connection(definition: GraphQLField) -> bool:
    kind: Any = get_named_type(definition.type)
    return is_object_type(kind) and "edges" in kind.fields


def _page(name: str) -> str:
    """A page with its cursors and the ids of its rows and of all they lead to."""
    edge = get_named_type(CORE.query_type.fields[name].type.fields["edges"].type)
    ids = _ids_of(get_named_type(edge.fields["node"].type), links=True)
    return f"{name}(first: {PAGE}) {{ edges {{ cursor node {{ {ids} }} }} }}"


def _ids_of(kind: Any, *, links: bool) -> str:
    chosen = []
    for name, definition in kind.fields.items():
        inner: Any = get_named_type(definition.type)
        if name == "id" or inner.name == "UUID":
            chosen.append(name if name == "id" else f"uuid: {name}")
        elif links and is_object_type(inner) and "id" in inner.fields:
            chosen.append(f"{name} {{ {_ids_of(inner, links=False)} }}")
    return " ".join(chosen)


async def _seen(world: World, document: Document, viewer: Any) -> dict[str, Any]:
    result = await world.execute(document, viewer)
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data


def _texts(value: Any, name: str) -> Iterator[str]:
    """The texts in all fields of a name."""
    for inner in value if isinstance(value, list) else ():
        yield from _texts(inner, name)
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key == name and isinstance(inner, str):
            yield inner
        else:
            yield from _texts(inner, name)


def _word(text: str) -> str:
    """The kind of thing a name is of, be it one or several: `environment` of `environments`."""
    return text.lower().strip("-0123456789 ").rstrip("s")


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _moved(id: str, project: str) -> str:
    """The same key under the own project."""
    kind, _, *rest = plain_id(id).split(":")
    own = plain_id(project).split(":")[1]
    return base64.urlsafe_b64encode(":".join([kind, own, *rest]).encode()).decode().rstrip("=")
