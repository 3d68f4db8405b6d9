"""Fields of statistics: on the root types, and on the objects behind dimensions."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import strawberry

from access.viewers import Permission
from analytics.periods import Range
from analytics.slices import Filter
from resolvers import statistics as resolvers
from resolvers.population import Population, resolve_filter
from resolvers.subscriptions import states
from schema.declarations import costs, field, subscription
from schema.figures.filters import filter_argument, filter_names
from schema.figures.panels import panels_of
from schema.figures.ranges import UTC, RangeArgument, TimeRange, ZoneArgument, to_range
from schema.figures.statistics import statistics_of
from schema.info import Info
from schema.names import python_name
from schema.selection import look_ahead
from storage.dimensions import PROJECT, Dimension
from storage.facts import FACTS
from storage.facts.fact import Fact

Class = TypeVar("Class", bound=type)


def with_statistics(ids: Mapping[Dimension, str]) -> Callable[[Class], Class]:
    """Adds a field `<stem>_stats` to the type of the objects behind a dimension, or several.

    The type gets one for each fact that has the dimensions. `ids` names the attribute of the
    objects that holds the id of each dimension.
    """

    def add(cls: Class) -> Class:
        for fact in FACTS.values():
            if {PROJECT, *fact.dimensions}.issuperset(ids):
                setattr(cls, f"{python_name(fact)}_stats", _of_node(fact, ids))
        return cls

    return add


def _of_node(fact: Fact, ids: Mapping[Dimension, str]) -> Any:
    async def stats(
        parent: strawberry.Parent[Any],
        info: Info,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
    ) -> Any:
        span = to_range(info.context, range, time_zone)
        chosen = Filter.of({each: (getattr(parent, id),) for each, id in ids.items()})
        return await _load(info, fact, chosen, span, time_zone)

    return strawberry.field(
        stats,
        description=f"Figures about its {fact.noun}; null on error.",
        graphql_type=statistics_of(fact) | None,
        metadata=costs(facts=(fact.name,)),
    )


async def _load(info: Info, fact: Fact, chosen: Filter, span: Range, zone: str) -> Any:
    """Loads at once all statistics that the query selects."""
    context, breakdowns = info.context, look_ahead(info, panels_of(fact).breakdowns)
    population = Population.of(context, fact, chosen, span, zone)
    return await resolvers.statistics(context, population, breakdowns)


async def _load_named(
    info: Info, fact: Fact, filter: Any, range: TimeRange | None, zone: str
) -> Any:
    """Loads the statistics of a client's filter."""
    span = to_range(info.context, range, zone)
    chosen = await resolve_filter(info.context, [fact], filter_names(filter))
    return await _load(info, fact, chosen, span, zone)


def _of_viewer(fact: Fact) -> Any:
    async def stats(
        info: Info,
        filter: Any = None,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
    ) -> Any:
        return await _load_named(info, fact, filter, range, time_zone)

    stats.__annotations__ |= {
        "filter": filter_argument(fact),
        "return": statistics_of(fact) | None,
    }
    text = f"Figures about the {fact.noun} you can see; null on error."
    return field(Permission.READ, text, kept=True, facts=(fact.name,))(stats)


def _changes(fact: Fact) -> Any:
    async def changes(
        info: Info,
        filter: Any = None,
        range: RangeArgument = None,
        time_zone: ZoneArgument = UTC,
    ) -> Any:
        slugs = None if filter is None else filter.projects
        figures = states(
            info.context,
            fact.name,
            slugs,
            lambda: _load_named(info, fact, filter, range, time_zone),
        )
        async for state in figures:
            yield state

    changes.__annotations__ |= {
        "filter": filter_argument(fact),
        "return": AsyncGenerator[statistics_of(fact), None],  # type: ignore[misc]
    }
    text = f"Figures about the {fact.noun} you can see: now, and after each change."
    return subscription(Permission.READ, text, shared=True)(changes)


def _fields(suffix: str, make: Callable[[Fact], Any]) -> type:
    fields = {f"{python_name(fact)}_{suffix}": make(fact) for fact in FACTS.values()}
    return type("Figures", (), {"__module__": __name__, **fields})


if TYPE_CHECKING:

    class FigureQueries:
        """Statistics of each fact, for the whole scope of the viewer."""

    class FigureSubscriptions:
        """Statistics of each fact, sent again after changes."""

else:
    FigureQueries = strawberry.type(_fields("stats", _of_viewer))
    FigureSubscriptions = strawberry.type(_fields("stats_changed", _changes))
