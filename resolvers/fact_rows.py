"""Rows of facts as objects: what those of all facts have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resolvers.provisioned import Project
from storage.facts.fact import Fact
from storage.queries.joins import PROJECT
from storage.queries.rows import columns
from storage.queries.times import parse_time


def with_columns(cls: Any, fact: Fact, names: Mapping[str, str]) -> None:
    """Gives a class with an attribute `row` a property for each column that it does not have.

    `names` has the names of properties that are called otherwise. Durations in microseconds become
    milliseconds.
    """
    for column in columns(fact):
        name = names.get(column.name, column.name)
        if name.endswith("_us"):
            name, made = f"{name[:-3]}_ms", _milliseconds(column.name)
        else:
            made = _plain(column.name)
        if not hasattr(cls, name):
            setattr(cls, name, made)


def _plain(column: str) -> property:
    return property(lambda self: self.row[column])


def _milliseconds(column: str) -> property:
    def read(self: Any) -> float | None:
        duration_us = self.row[column]
        return None if duration_us is None else duration_us / 1000

    return property(read)


def joined_project(row: Any) -> Project:
    """The project that a list's statement joined to a row."""
    slug, name, created_at = (row[f"project_{column}"] for column in PROJECT)
    return Project(row["project_id"], slug, name, parse_time(created_at))
