"""Which of the fields that take a value tries it: where many take one, they share the work.

An input type is read by the same code wherever it stands, and many fields take one: the filter of
a fact is an argument of its list and of its statistics, of Query, of Viewer and of Subscription.
So at each place of an input type (`DeploymentFilter.environments`)

- each field tries what fits the place (an environment of the hidden tenant) and the list of all
  secrets at once: a leak of one field alone is found by these;
- the rest, which is there to find code that takes one kind of thing for another, is dealt out:
  each value is tried by one of the fields, and each field tries some value for each argument.

Nothing is dealt at a place that one field alone has: its id, its search, its own input type. Where
a field is asked to two depths, it has two turns at what it shares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import GraphQLField, GraphQLObjectType


@dataclass(frozen=True, slots=True)
class Tried:
    """A value of an argument, and the place inside it at which there is something to be tried."""

    value: Any
    place: str
    everywhere: bool = False  # tried by each field that has the place

    def within(self, value: Any) -> Tried:
        """The same inside of a greater value."""
        return replace(self, value=value)


@dataclass(slots=True, eq=False)
class Use:
    """An argument of a field, asked to a depth, with all there is to try."""

    parent: str | GraphQLObjectType  # a root type's name, or a type below
    name: str
    definition: GraphQLField
    argument: str
    depth: int
    values: list[Tried]
    # Its number among the uses of each place, and how many there are.
    turns: dict[str, tuple[int, int]] = field(default_factory=dict)
    number: int = 0

    @property
    def field(self) -> str:
        parent = self.parent if isinstance(self.parent, str) else self.parent.name
        return f"{parent}.{self.name}"

    def dealt(self) -> list[Any]:
        """The values that this use tries."""
        seen: defaultdict[str, int] = defaultdict(int)
        chosen = []
        for each in self.values:
            turn, uses = self.turns[each.place]
            if each.everywhere or seen[each.place] % uses == turn:
                chosen.append(each.value)
            seen[each.place] += not each.everywhere
        return chosen or [self.values[self.number % len(self.values)].value]


def deal(uses: Iterable[Use]) -> None:
    """Gives each use its turn at each of its places."""
    of_place: defaultdict[str, list[Use]] = defaultdict(list)
    for number, use in enumerate(uses):
        use.number = number
        for place in dict.fromkeys(each.place for each in use.values):
            of_place[place].append(use)
    for place, takers in of_place.items():
        is_shared = len({use.field for use in takers}) > 1
        for turn, use in enumerate(takers):
            use.turns[place] = (turn, len(takers)) if is_shared else (0, 1)
