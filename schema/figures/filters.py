"""Filters: the names of dimensions that select rows of a fact, the same for figures and lists."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from resolvers.population import FilterNames, WithLabels
from schema.declarations import optional
from storage.dimensions import DIMENSIONS, LABEL_SET, PROJECT, Dimension
from storage.errors import InvalidInput
from storage.facts.fact import Fact


@cache
def filter_of(fact: Fact) -> Any:
    """Makes the input `<Stem>Filter`: a list of names for the project and each dimension."""
    return _input(
        f"{fact.stem}Filter",
        f"Selects the {fact.noun} that match a name of every given list.",
        (PROJECT, *fact.dimensions),
        **({_LABELS: optional(_ABOUT_LABELS)} if LABEL_SET in fact.dimensions else {}),
    )


_LABELS = "labels"
_ABOUT_LABELS = "Labels such as `type=busy`, all of which a set must have; in place of `labelSets`."


def _input(name: str, description: str, dimensions: Iterable[Dimension], **more: Any) -> Any:
    fields = {dimension.plural: optional(_describe(dimension)) for dimension in dimensions} | more
    types = dict.fromkeys(fields, list[str] | None)
    made = type(name, (), {"__annotations__": types, "__module__": __name__, **fields})
    return strawberry.input(made, description=description)


def _describe(dimension: Dimension) -> str:
    text = f"{dimension.label.capitalize()}s of {dimension.plural.replace('_', ' ')}"
    if dimension is PROJECT:
        return f"{text}; NOT_FOUND if you cannot see one of them."
    if dimension.interned:
        return f"{text}; one that is not in use matches nothing."
    return f"{text}; NOT_FOUND for an unknown one. `other` stands for all that are not provisioned."


if TYPE_CHECKING:

    class MetricFilter:
        """Made from storage.dimensions."""

else:
    MetricFilter = _input(
        "MetricFilter",
        "Selects what matches a name of every given list; all facts must have the dimensions.",
        DIMENSIONS.values(),
    )


def filter_argument(fact: Fact) -> Any:
    """The type of an argument that selects rows of the fact."""
    chosen = strawberry.argument(f"The {fact.noun} to select; all you can see by default.")
    return Annotated[filter_of(fact) | None, chosen]


def filter_names(given: Any) -> FilterNames:
    """The names that a filter lists, by dimension."""
    found = {
        dimension: tuple(names)
        for dimension in DIMENSIONS.values()
        if (names := getattr(given, dimension.plural, None)) is not None
    }
    if (labels := getattr(given, _LABELS, None)) is None:
        return found
    if LABEL_SET in found:
        raise InvalidInput("Name labels or whole label sets, not both.", path=_LABELS)
    return {**found, LABEL_SET: WithLabels(labels)}
