"""Scoping: no read of tenants' rows exists without a scope, and the scope is in the statement."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from storage.dimensions import ENVIRONMENT, FRAMEWORK, FUNCTION, PROJECT
from storage.facts.build_phases import BUILD_PHASES
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.invocations import INVOCATIONS
from storage.queries import (
    facts,
    keyed,
    names,
    paging,
    running,
)
from storage.queries.facts import RowsShape
from storage.queries.joins import PLAIN, Reading
from storage.queries.paging import PageRequest, TableList
from storage.queries.provisioned import BY_NAME
from storage.queries.rows import Order
from storage.queries.scoping import FEW_PROJECTS, ScopeSize, size_of

TENANTS = (facts, keyed, names, running, TableList)


def reads(place: ModuleType | type) -> dict[str, Callable[..., Any]]:
    return {
        name: member
        for name, member in inspect.getmembers(place, inspect.iscoroutinefunction)
        if member.__module__ in (place.__name__, place.__dict__.get("__module__"))
        and not name.startswith("_")
    }


@pytest.mark.parametrize("place", TENANTS)
def test_every_read_takes_a_scope(place: ModuleType | type) -> None:
    assert reads(place)
    for name, read in reads(place).items():
        parameter = inspect.signature(read).parameters.get("scope")
        assert parameter is not None, name
        assert parameter.default is inspect.Parameter.empty, name


def test_only_projects_belong_to_scopes() -> None:
    """What every tenant may see: networks and the catalogue of templates."""
    scoped = [dimension for dimension, rows in BY_NAME.items() if rows.project_id is not None]
    assert scoped == [PROJECT]


class Some:
    def __init__(self, project_ids: tuple[int, ...] | None) -> None:
        self.project_ids = project_ids


def test_the_reach_follows_the_number_of_projects() -> None:
    assert size_of(Some(None)) is ScopeSize.EVERYTHING
    assert size_of(Some(())) is ScopeSize.FEW
    assert size_of(Some(tuple(range(FEW_PROJECTS)))) is ScopeSize.FEW
    assert size_of(Some(tuple(range(FEW_PROJECTS + 1)))) is ScopeSize.MANY


@pytest.mark.parametrize("reached", [ScopeSize.FEW, ScopeSize.MANY])
def test_every_statement_names_its_scope(reached: ScopeSize) -> None:
    newest, request = RowsShape(DEPLOYMENTS, Order("created_at")), PageRequest(10).shape
    of_series = newest._replace(dimensions=(ENVIRONMENT,))
    of_functions = names.names_of(INVOCATIONS, FUNCTION, (ENVIRONMENT,))
    linked = Reading(project=True, template=True, status_events=1)
    queries = [
        facts._find(request, PLAIN, reached, newest),
        facts._find(request, linked, reached, newest),
        facts._find(request, PLAIN, reached, newest._replace(few_series=True)),
        facts._count(reached, of_series),
        facts._count(reached, newest._replace(few_series=True)),
        facts._few_series(reached, DEPLOYMENTS, (ENVIRONMENT,), 65),
        keyed._by_id(reached, DEPLOYMENTS, linked),
        keyed._newest(reached, DEPLOYMENTS, ("project_id",), linked),
        keyed._newest(reached, BUILD_PHASES, ("project_id", "build_id"), PLAIN),
        paging._find(reached, BY_NAME[PROJECT], (), request),
        paging._count(reached, BY_NAME[PROJECT], ()),
        paging._with_values(reached, BY_NAME[PROJECT], "slug"),
        paging._find(reached, of_functions, (), request),
        paging._count(reached, of_functions, ()),
        names._of_projects(reached, ENVIRONMENT),
        names._by_names(reached, ENVIRONMENT),
        names._seen(reached, FUNCTION),
        running._newest(reached, INVOCATIONS, (FUNCTION,)),
        running._counts(reached, INVOCATIONS, FUNCTION),
        names._used(reached, (DEPLOYMENTS,), FRAMEWORK),
    ]
    for query in queries:
        assert "scope" in query._order, query.name
