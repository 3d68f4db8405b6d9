"""Selects a deployment's columns and joins its links, to save statements and bytes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import ColumnElement, Select, Subquery, any_, func, select, true
from sqlalchemy.dialects.postgresql import array

from storage.dimensions import OTHER, projects, templates
from storage.queries.status_events import newest
from storage.queries.times import as_text


@dataclass(frozen=True, slots=True)
class Reading:
    """The optional columns and links to read of each deployment.

    Status events are read as one JSON value. There are few switches, since each combination is a
    statement of its own.
    """

    attributes: bool = False
    error: bool = False
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


def joined(page: Subquery, reading: Reading) -> Select[Any]:
    """Select columns of a page of deployments and of their links, named link_column."""
    source: Any = page
    switches = {"attributes": reading.attributes, "error": reading.error}
    columns = as_text(column for column in page.c if switches.get(column.key, True))
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
