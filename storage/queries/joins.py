"""What is read of deployments, their links in the same statement: time is saved by both."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, Subquery, any_, func, select, true
from sqlalchemy.dialects.postgresql import array

from storage.dimensions import OTHER, projects, templates
from storage.queries.status_events import newest
from storage.queries.times import told


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of each deployment: columns, and links that are one row at most.

    Status events are read as one value. A template comes with its slug and name, and the rest of it
    only where that is wanted.
    """

    columns: frozenset[str] | None = None  # besides those that are always read; None is all
    project: bool = False
    template: bool = False
    template_details: bool = False
    status_events: int = 0  # how many

    @property
    def shape(self) -> Self:
        """What of it decides the SQL text."""
        return replace(self, status_events=min(self.status_events, 1))

    def parameters(self) -> dict[str, int]:
        return {"events": self.status_events} if self.status_events else {}


WHOLE = Reading()

# Of links: what is always read of them, and the rest of a template.
PROJECT = ("slug", "name", "created_at")
TEMPLATE = ("template_id", "slug", "name")
TEMPLATE_DETAILS = ("description", "category", "tags", "created_at")


def joined(page: Subquery, reading: Reading, always: Collection[str]) -> Select[Any]:
    """What is read of these deployments; columns of links are under the link's name and theirs."""
    source: Any = page
    columns = told(
        column
        for column in page.c
        if reading.columns is None or column.name in reading.columns or column.name in always
    )
    if reading.project:
        source = source.join(projects, projects.c.project_id == page.c.project_id)
        columns += _labelled(projects.c, "project", PROJECT)
    if reading.template:
        template = _template(page.c.template)
        source = source.outerjoin(template, true())
        columns += _labelled(template.c, "template", TEMPLATE)
        if reading.template_details:
            columns += _labelled(template.c, "template", TEMPLATE_DETAILS)
    if reading.status_events:
        events = newest(page)
        source = source.join(events, true())
        columns.append(events.c.status_events)
    return select(*columns).select_from(source)


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


def _labelled(columns: Any, link: str, names: Iterable[str]) -> list[Any]:
    return [one.label(f"{link}_{one.key}") for one in told(columns[name] for name in names)]
