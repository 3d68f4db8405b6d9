"""Selects the columns of a page's rows and joins their links, to save statements and bytes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, Subquery, and_, any_, func, select, true
from sqlalchemy.dialects.postgresql import array

from storage.dimensions import OTHER, projects, templates
from storage.dimensions import TEMPLATE as TEMPLATES
from storage.facts.fact import Append, Entity, Fact
from storage.queries.rows import ON_REQUEST
from storage.queries.status_events import newest
from storage.queries.times import as_text


@dataclass(frozen=True, slots=True)
class Reading:
    """The columns of ON_REQUEST and the links to read of each row.

    Status events are read as one JSON value. There are few switches, since each combination is a
    statement of its own.
    """

    columns: frozenset[str] = frozenset()
    project: bool = False
    template: bool = False
    template_details: bool = False  # all columns of the template, not only its names
    status_events: int = 0  # the number of newest events

    @property
    def shape(self) -> Self:
        """The part that decides the SQL text."""
        return replace(self, status_events=min(self.status_events, 1))

    def parameters(self) -> dict[str, int]:
        return {"events": self.status_events} if self.status_events else {}


PLAIN = Reading()

# The columns of links; those of TEMPLATE_DETAILS are read only on request.
PROJECT = ("slug", "name", "created_at")
TEMPLATE = ("template_id", "slug", "name")
TEMPLATE_DETAILS = ("description", "category", "tags", "created_at")


def joined(fact: Fact, page: Subquery, reading: Reading, needed: Iterable[str] = ()) -> Select[Any]:
    """Select columns of a page's rows and of their links, named link_column.

    The columns `needed` are read whether or not they are selected.
    """
    source: Any = page
    left_out = ON_REQUEST - reading.columns - set(needed)
    columns = as_text(column for column in page.c if column.key not in left_out)
    if isinstance(fact, Append):
        source, names = named(fact, page)
        columns += names
    if reading.project:
        source = source.join(projects, projects.c.project_id == page.c.project_id)
        columns += _labelled(projects.c, "project", PROJECT)
    if reading.template and TEMPLATES in fact.dimensions:
        template = _template(page.c.template)
        source = source.outerjoin(template, true())
        columns += _labelled(template.c, "template", TEMPLATE)
        if reading.template_details:
            columns += _labelled(template.c, "template", TEMPLATE_DETAILS)
    if reading.status_events:
        assert isinstance(fact, Entity), "only entities have status events"
        events = newest(fact, page)
        source = source.join(events, true())
        columns.append(events.c.status_events)
    return select(*columns).select_from(source)


def named(fact: Fact, page: Subquery) -> tuple[Any, list[ColumnElement[Any]]]:
    """The page with the ids and names of interned dimensions, which only the series know."""
    series = fact.series.c
    source: Any = page.outerjoin(
        fact.series,
        and_(series.project_id == page.c.project_id, series.series_id == page.c.series_id),
    )
    names: list[ColumnElement[Any]] = []
    for dimension in fact.dimensions:
        if dimension.interned:
            names_of = dimension.dictionary.alias(f"of_{dimension}")
            key = names_of.c[dimension.column]
            same = and_(key == series[dimension.column], key > OTHER)
            source = source.outerjoin(names_of, same)
            names += [key, names_of.c[dimension.label].label(dimension.name)]
    return source, names


def _template(slug: ColumnElement[str]) -> Any:
    """The template of a slug, whose case may differ from the provisioned one."""
    return (
        select(templates)
        .where(
            templates.c.template_id > OTHER,
            templates.c.slug == any_(array([slug, func.lower(slug)])),
        )
        .order_by((templates.c.slug == slug).desc())
        .limit(1)
        .lateral("linked_template")
    )


def _labelled(columns: Any, link: str, names: Iterable[str]) -> list[Any]:
    texts = as_text(columns[name] for name in names)
    return [column.label(f"{link}_{column.key}") for column in texts]
