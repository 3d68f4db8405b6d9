"""What deployments link to, read in their own statement: a statement saved is time saved."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, any_, func, select, true
from sqlalchemy.dialects.postgresql import array

from storage.dimensions import OTHER, projects, templates
from storage.queries.status_events import newest


@dataclass(frozen=True, slots=True)
class Joins:
    """Which links are read along; each is one row at most, status events as one value."""

    project: bool = False
    template: bool = False
    status_events: int = 0  # how many of each deployment

    @property
    def shape(self) -> Self:
        """What of it decides the SQL text."""
        return replace(self, status_events=min(self.status_events, 1))

    def parameters(self) -> dict[str, int]:
        return {"events": self.status_events} if self.status_events else {}


NO_JOINS = Joins()


def joined(
    found: Select[Any], joins: Joins, order: Callable[[Any], Sequence[ColumnElement[Any]]]
) -> Select[Any]:
    """These deployments with the columns of their links, under the link's name and their own."""
    if joins == NO_JOINS:
        return found
    page = found.subquery("page")
    source: Any = page
    columns: list[Any] = [*page.c]
    if joins.project:
        source = source.join(projects, projects.c.project_id == page.c.project_id)
        columns += _labelled(projects.c, "project")
    if joins.template:
        template = _template(page.c.template)
        source = source.outerjoin(template, true())
        columns += _labelled(template.c, "template")
    if joins.status_events:
        events = newest(page)
        source = source.join(events, true())
        columns.append(events.c.status_events)
    return select(*columns).select_from(source).order_by(*order(page))


def _template(slug: ColumnElement[str]) -> Any:
    """A template's slug may be sent in another case than it is provisioned in."""
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


def _labelled(columns: Any, link: str) -> list[Any]:
    return [column.label(f"{link}_{column.name}") for column in columns]
