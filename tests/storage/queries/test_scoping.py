"""Scoping: no read of tenants' rows exists without a scope, and the scope is in the statement."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from storage.dimensions import Dictionary
from storage.queries import (
    deployments,
    environments,
    networks,
    projects,
    status_events,
    templates,
)
from storage.queries.conditions import All, shape
from storage.queries.deployments import Order
from storage.queries.joins import Reading
from storage.queries.paging import PageRequest
from storage.queries.scoping import FEW_PROJECTS, ScopeSize, size_of

TENANTS = (deployments, environments, projects, status_events)
# What every tenant may see: networks and the catalogue of templates.
PLATFORM = (networks, templates)


def reads(module: ModuleType) -> dict[str, Callable[..., Any]]:
    return {
        name: member
        for name, member in inspect.getmembers(module, inspect.iscoroutinefunction)
        if member.__module__ == module.__name__ and not name.startswith("_")
    }


@pytest.mark.parametrize("module", TENANTS)
def test_every_read_takes_a_scope(module: ModuleType) -> None:
    assert reads(module)
    for name, read in reads(module).items():
        parameter = inspect.signature(read).parameters.get("scope")
        assert parameter is not None, name
        assert parameter.default is inspect.Parameter.empty, name


@pytest.mark.parametrize("module", PLATFORM)
def test_platform_reads_touch_no_tenants_rows(module: ModuleType) -> None:
    assert reads(module)
    source = inspect.getsource(module)
    assert "project" not in source
    assert "deployment" not in source


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
    anything, request = shape(All()), PageRequest(10).shape
    linked = Reading(project=True, template=True, status_events=1)
    queries = [
        deployments._find(reached, anything, Order(), request),
        deployments._find(reached, anything, Order(), request, linked),
        deployments._count(reached, anything, "created_at"),
        deployments._by_keys(reached),
        deployments._by_id(reached),
        deployments._latest_by_project(reached),
        status_events._latest(reached),
        projects._by_ids(reached),
        projects._by_slugs(reached),
        projects._find(reached, anything, request),
        projects._count(reached, anything),
        environments._of_projects(reached),
        environments._by_names(reached),
        environments._used(reached, Dictionary.ENVIRONMENT),
        environments._used(reached, Dictionary.FRAMEWORK),
    ]
    for query in queries:
        assert "scope" in query._order, query.name
