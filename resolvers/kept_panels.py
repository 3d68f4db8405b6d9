"""Panels that are kept in the page of a project: a measure, by dimensions, of some names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from alerts.measures import measure_called, measure_name
from analytics.measures import Measure
from ingest.events import Code
from resolvers.context import Context
from resolvers.metrics import MAX_GROUPED_BY
from resolvers.provisioned import Project
from resolvers.user_errors import InputCode, UserError, no_project, too_many, wrong
from storage import kept_panels as table
from storage.dimensions import PROJECT, Dimension
from storage.facts import FACTS
from storage.kept_panels import PANELS_AT_MOST, NewPanel
from storage.names import MAX_NAME_LENGTH, can_be_stored
from storage.queries.kept_panels import of_projects

MAX_TITLE_LENGTH = 100
NAMES_AT_MOST = 100  # of all dimensions together

Names = Mapping[Dimension, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """What a panel shows; what the catalogue has no more is left out, and `problem` says so."""

    measure: Measure | None
    group_by: tuple[Dimension, ...]
    filter: Names
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class KeptPanel:
    """A panel as it is stored, read with the catalogue of now."""

    panel_id: UUID
    title: str
    question: Question
    kept_by: str
    kept_at: datetime

    @classmethod
    def of(cls, row: Any) -> KeptPanel:
        question = read(row["question"])
        return cls(row["panel_id"], row["title"], question, row["kept_by"], row["kept_at"])


def read(stored: Any) -> Question:
    """The question that is stored; never raises, as the catalogue may have changed since."""
    given: Mapping[str, Any] = stored if isinstance(stored, dict) else {}
    name, by, filter = given.get("measure"), given.get("group_by"), given.get("filter")
    measure = measure_called(str(name))
    group_by, names = _list(by), filter if isinstance(filter, dict) else {}
    if measure is None:
        return Question(None, (), {}, f"There is no measure {str(name)[:MAX_NAME_LENGTH]!r} now.")
    known = {each.name: each for each in dimensions_of(measure)}
    lost = sorted({*group_by, *names} - known.keys())
    problem = f"{measure_name(measure)} has no {' and no '.join(lost)} now." if lost else None
    return Question(
        measure,
        tuple(known[each] for each in group_by if each in known),
        {known[each]: tuple(_list(names[each])) for each in names if each in known},
        problem,
    )


def _list(given: Any) -> list[str]:
    return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []


def dimensions_of(measure: Measure) -> tuple[Dimension, ...]:
    """What a panel of a measure may be grouped and filtered by, within its project."""
    return FACTS[measure.fact].dimensions


async def panels_of_project(context: Context, project: Project) -> list[KeptPanel]:
    """Returns the panels of a project in scope, in their order."""
    rows = await context.loaders.of(of_projects).load(project.project_id)
    return [KeptPanel.of(row) for row in rows or []]


async def keep(
    context: Context, project: str, title: str, question: Question
) -> tuple[KeptPanel | None, list[UserError]]:
    """Keeps a panel after the others of a project in scope."""
    project_id = await context.project_id(project)
    if project_id is None:
        return None, [no_project(project)]
    if errors := [*_title_errors(title.strip()), *_errors(question)]:
        return None, errors
    assert question.measure is not None
    stored = {
        "measure": measure_name(question.measure),
        "group_by": [dimension.name for dimension in question.group_by],
        "filter": {each.name: list(names) for each, names in question.filter.items()},
    }
    panel = NewPanel(uuid4(), title.strip(), stored, context.viewer.subject, context.now)
    async with context.transaction() as connection:
        done = await table.add(connection, project_id, panel)
    if not done:
        message = f"The project keeps {PANELS_AT_MOST} panels, the most allowed: remove one first."
        return None, [too_many(message)]
    context.forget_loaded()
    return KeptPanel(panel.panel_id, panel.title, question, panel.kept_by, panel.kept_at), []


async def remove(context: Context, project: str, id: str) -> tuple[bool, list[UserError]]:
    """Removes a panel of a project in scope; returns whether there was one."""
    project_id = await context.project_id(project)
    if project_id is None:
        return False, [no_project(project)]
    panel_id = _panel_id(id)
    if panel_id is None:
        return False, [wrong("id", f"{id[:100]!r} is no id of a panel.", InputCode.NOT_FOUND)]
    async with context.transaction() as connection:
        removed = await table.remove(connection, project_id, panel_id)
    context.forget_loaded()
    return removed, []


async def rename(
    context: Context, project: str, id: str, title: str
) -> tuple[KeptPanel | None, list[UserError]]:
    """Gives a panel of a project in scope another title."""
    project_id = await context.project_id(project)
    if project_id is None:
        return None, [no_project(project)]
    if errors := list(_title_errors(title.strip())):
        return None, errors
    if panel_id := _panel_id(id):
        async with context.transaction() as connection:
            row = await table.rename(connection, project_id, panel_id, title.strip())
        context.forget_loaded()
        if row is not None:
            return KeptPanel.of(row), []
    message = f"The project keeps no panel {id[:MAX_TITLE_LENGTH]!r}."
    return None, [wrong("id", message, InputCode.NOT_FOUND)]


async def order(
    context: Context, project: str, ids: Sequence[str]
) -> tuple[list[KeptPanel], list[UserError]]:
    """Puts the panels of a project in scope into an order, which names each of them once."""
    project_id = await context.project_id(project)
    if project_id is None:
        return [], [no_project(project)]
    wanted = [panel_id for id in ids[: PANELS_AT_MOST + 1] if (panel_id := _panel_id(id))]
    async with context.transaction() as connection:
        done = len(wanted) == len(ids) and await table.order(connection, project_id, wanted)
    if not done:
        return [], [wrong("panels", "Name each panel that the project keeps, and each once.")]
    context.forget_loaded()
    rows = await context.loaders.of(of_projects).load(project_id)
    return [KeptPanel.of(row) for row in rows or []], []


def _panel_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _title_errors(title: str) -> Iterator[UserError]:
    if not title or len(title) > MAX_TITLE_LENGTH:
        yield wrong("title", f"Give a title of 1 to {MAX_TITLE_LENGTH} characters.")
    elif not can_be_stored(title):
        message = "The title has a NUL or a lone surrogate, which cannot be stored: remove it."
        yield wrong("title", message, Code.INVALID_TEXT)


def _errors(question: Question) -> Iterator[UserError]:
    assert question.measure is not None
    known = set(dimensions_of(question.measure))
    if len(set(question.group_by)) < len(question.group_by) or len(question.group_by) > (
        MAX_GROUPED_BY
    ):
        yield wrong("groupBy", f"Group by at most {MAX_GROUPED_BY} dimensions, each once.")
    for dimension in question.group_by:
        if dimension not in known:
            yield wrong("groupBy", f"The measure has no {dimension.name}.")
    yield from _filter_errors(question, known)


def _filter_errors(question: Question, known: set[Dimension]) -> Iterator[UserError]:
    for dimension in question.filter:
        if dimension is PROJECT:
            yield wrong("filter", "A panel is about its project alone: leave out projects.")
        elif dimension not in known:
            yield wrong("filter", f"The measure has no {dimension.name}.")
        elif not isinstance(question.filter[dimension], tuple):
            yield wrong("filter", "Name whole label sets; labels cannot be kept.")
    names = [name for each in question.filter.values() for name in each if isinstance(name, str)]
    if len(names) > NAMES_AT_MOST:
        yield wrong("filter", f"Name at most {NAMES_AT_MOST}.")
    if any(
        len(name) > MAX_NAME_LENGTH or not can_be_stored(name) for name in names[:NAMES_AT_MOST]
    ):
        message = f"A name has at most {MAX_NAME_LENGTH} characters, no NUL and no lone surrogate."
        yield wrong("filter", message, Code.INVALID_TEXT)
