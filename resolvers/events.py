"""Rows of append facts: function invocations, calls of APIs and models, phases of builds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple, Self

from resolvers.context import Context
from resolvers.fact_rows import joined_project, with_columns
from resolvers.names import Endpoint, Environment, Function, Model
from resolvers.provisioned import Project
from storage.facts.api_calls import API_CALLS
from storage.facts.build_phases import BUILD_PHASES
from storage.facts.fact import Append
from storage.facts.invocations import INVOCATIONS
from storage.facts.model_calls import MODEL_CALLS
from storage.facts.samples import SAMPLES
from storage.queries.joins import Reading
from storage.queries.times import parse_time


class _Fields(NamedTuple):
    """A row, and its project if the query selects it."""

    row: Any
    project: Project | None


class EventRow(_Fields):
    """A row of an append fact; each kind declares its fact, whose columns become properties."""

    __slots__ = ()
    fact: ClassVar[Append]

    def __init_subclass__(cls) -> None:
        if hasattr(cls, "fact"):
            with_columns(cls, cls.fact, {"event_id": "id"})

    environment = property(lambda self: Environment.in_row(self.row))

    @property
    def started_at(self) -> datetime | None:
        duration_us = self.row["duration_us"]
        if duration_us is None:
            return None
        return parse_time(self.row["occurred_at"]) - timedelta(microseconds=duration_us)

    @classmethod
    async def made(cls, _context: Context, rows: Sequence[Any], links: Reading) -> list[Self]:
        """Makes the objects of a page's rows."""
        return [cls(row, joined_project(row) if links.project else None) for row in rows]


class FunctionInvocation(EventRow):
    """A completed invocation of a function."""

    __slots__ = ()
    fact = INVOCATIONS
    status = property(lambda self: self.row["failed"])
    function = property(lambda self: Function.in_row(self.row))
    runtime = property(lambda self: self.row["runtime"])
    region = property(lambda self: self.row["region"])


class ApiCall(EventRow):
    """A response of an API."""

    __slots__ = ()
    fact = API_CALLS
    user = property(lambda self: self.row["actor"])
    endpoint = property(lambda self: Endpoint.in_row(self.row))
    method = property(lambda self: self.row["method"])


class ModelCall(EventRow):
    """An answer of a language model."""

    __slots__ = ()
    fact = MODEL_CALLS
    model = property(lambda self: Model.in_row(self.row))
    task = property(lambda self: self.row["task"])


class Label(NamedTuple):
    """A label of a sample."""

    name: str
    value: str


class Sample(EventRow):
    """A value of a metric."""

    __slots__ = ()
    fact = SAMPLES
    metric = property(lambda self: self.row["metric"])
    label_set = property(lambda self: self.row["label_set"])
    value = property(lambda self: float(self.row["value"]))

    @property
    def labels(self) -> list[Label]:
        parts = (part.partition("=") for part in (self.label_set or "").split(",") if part)
        return [Label(name, value) for name, _, value in parts]


class BuildPhase(EventRow):
    """A phase of a build, such as install."""

    __slots__ = ()
    fact = BUILD_PHASES
    name = property(lambda self: self.row["phase"])
    finished_at = property(lambda self: self.row["occurred_at"])
