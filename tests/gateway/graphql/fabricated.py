"""Made-up values of any GraphQL type, some of them poisoned: what no resolver should return."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLSchema,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from schema.internals import strawberry_field
from schema.scalars import write_date_time

POISON: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: 5,
    lambda: 2**40,
    lambda: 1.5,
    lambda: float("inf"),
    lambda: float("nan"),
    lambda: "text",
    lambda: True,
    list,
    dict,
    lambda: ValueError("a value that is an error"),
    lambda: (1, None),
    lambda: object,
    lambda: UUID(int=7),
    lambda: datetime(2026, 1, 1),  # noqa: DTZ001 - without a zone
    lambda: Fabricated(Fabricator(None, 0, 0.0), "Nothing", "poison"),
)
RAISED = object()


def _zoned(chance: random.Random) -> datetime:
    zone = UTC if chance.random() < 0.7 else timezone(timedelta(hours=chance.randint(-12, 12)))
    return datetime(2026, 1, 31, 12, 0, 59, chance.choice([0, 120, 999999]), tzinfo=zone)


def _words(chance: random.Random) -> str:
    return f"text {chance.random()}"


LEAVES: dict[str, Callable[[random.Random], Any]] = {
    "Int": lambda chance: chance.randint(-5, 5),
    "Float": lambda chance: chance.choice([0.5, 3, -1.25]),
    "Boolean": lambda chance: chance.random() < 0.5,
    "ID": lambda chance: chance.choice(["id", 7, UUID(int=7)]),
    "DateTime": _zoned,
    "Date": lambda _chance: date(2026, 1, 31),
    "UUID": lambda chance: UUID(int=chance.getrandbits(100)),
    "JSON": lambda _chance: {"any": ["value", None, 1.5]},
}


@dataclass(frozen=True, slots=True)
class Fabricator:
    """Makes the same value for the same place, however often it is asked."""

    schema: Any
    seed: int
    poison: float

    def value(self, kind: Any, key: str) -> Any:
        chance = random.Random(f"{self.seed} {key}")
        if chance.random() < self.poison:
            return chance.choice(POISON)()
        if is_non_null_type(kind):
            return self._present(kind.of_type, key, chance)
        return None if chance.random() < 0.15 else self._present(kind, key, chance)

    def _present(self, kind: Any, key: str, chance: random.Random) -> Any:
        if is_list_type(kind):
            size = chance.randrange(4)
            items = [self.value(kind.of_type, f"{key}/{n}") for n in range(size)]
            return tuple(items) if chance.random() < 0.2 else items
        if isinstance(kind, GraphQLEnumType):
            return chance.choice(list(kind.values.values())).value
        if is_leaf_type(kind):
            return LEAVES.get(kind.name, _words)(chance)
        schema: GraphQLSchema = self.schema
        if is_abstract_type(kind):
            kind = chance.choice(sorted(schema.get_possible_types(kind), key=lambda one: one.name))
        made = Fabricated(self, kind.name, key)
        if chance.random() < self.poison:
            made.kind = "Nothing"  # it has the attributes of its type, and says it is of another
        return made


class Fabricated:
    """An object of one type, whose attributes are made up when they are read."""

    def __init__(self, maker: Fabricator, kind: str, key: str) -> None:
        self.maker, self.key = maker, key
        self.kind = self.fields_of = kind
        self.attributes: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"<{self.kind}>"  # no address: messages quote it

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self.attributes:
            self.attributes[name] = self._make(name)
        if self.attributes[name] is RAISED:
            raise AttributeError(name)
        return self.attributes[name]

    def _make(self, name: str) -> Any:
        kind = self.maker.schema.type_map.get(self.fields_of) if self.maker.schema else None
        for field in kind.fields.values() if is_object_type(kind) else ():
            known = strawberry_field(field)
            if known is not None and known.python_name == name:
                if random.Random(f"{self.key} {name} raises").random() < self.maker.poison / 10:
                    return RAISED
                return self.maker.value(field.type, f"{self.key}.{name}")
        return RAISED


def written(value: Any) -> Any:
    """Data with its times as text: compiled completion leaves them to the encoder."""
    if isinstance(value, dict):
        return {key: written(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [written(inner) for inner in value]
    return write_date_time(value) if type(value) is datetime and value.tzinfo is UTC else value
