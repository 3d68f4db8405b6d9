"""What the names in the filters of rules stand for, and how groups are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from alerts.rules import Watch
from storage.dictionaries import Dictionaries
from storage.dimensions import DIMENSIONS, Dimension

# By dimension, the ids of the names that exist.
Ids = Mapping[Dimension, Mapping[str, int]]
# By dimension, the names of ids.
Names = Mapping[Dimension, Mapping[int, str]]


async def ids_of(dictionaries: Dictionaries, watches: Iterable[Watch]) -> Ids:
    """Returns the ids of all names in filters, as far as they exist by now."""
    wanted: dict[Dimension, set[str]] = defaultdict(set)
    for watch in watches:
        for name in watch.filter.keys() & DIMENSIONS.keys():
            wanted[DIMENSIONS[name]].update(_spelt(DIMENSIONS[name], watch.filter[name]))
    return {each: await dictionaries.ids(each, names) for each, names in wanted.items()}


def selected(watch: Watch, ids: Ids) -> dict[Dimension, tuple[int, ...]]:
    """Returns the ids that a rule selects; raises KeyError for an unknown dimension."""
    found = {}
    for name, given in watch.filter.items():
        dimension = DIMENSIONS[name]
        known = ids[dimension]
        found[dimension] = tuple(known[each] for each in _spelt(dimension, given) if each in known)
    return found


async def names_of(dictionaries: Dictionaries, ids: Iterable[tuple[Dimension, int]]) -> Names:
    """Returns the names of ids, of each dimension by one question."""
    wanted: dict[Dimension, set[int]] = defaultdict(set)
    for dimension, id in ids:
        wanted[dimension].add(id)
    return {each: await dictionaries.names(each, given) for each, given in wanted.items()}


def _spelt(dimension: Dimension, names: Iterable[str]) -> list[str]:
    return [name.lower() if dimension.any_case else name for name in names]
