"""Panels that are kept in the page of a project, and the mutations about them."""

from datetime import datetime
from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import kept_panels as resolvers
from resolvers.kept_panels import MAX_TITLE_LENGTH, NAMES_AT_MOST, Question
from resolvers.metrics import MAX_GROUPED_BY
from schema.declarations import mutation, optional
from schema.enums import Dimension, Measure
from schema.errors import WHY_REFUSED, UserError
from schema.figures.filters import MetricFilter, filter_names
from schema.info import Info
from schema.things.alert_rules import AlertNames
from schema.things.given import read
from storage.kept_panels import PANELS_AT_MOST

Root = strawberry.Parent[resolvers.KeptPanel]
_ID = "The id of the panel."
_TITLE = f"The title, in at most {MAX_TITLE_LENGTH} characters."


@strawberry.type(description="A panel that is kept in the page of a project.")
class KeptPanel:
    panel_id: strawberry.ID = strawberry.field(name="id", description=_ID)
    title: str = read("The title.")
    kept_at: datetime = read("When it was kept.")
    kept_by: str = read("The subject of the token that kept it.")

    @strawberry.field(description="The measure; null if the catalogue no longer has it.")
    def measure(self, parent: Root) -> Measure | None:
        return parent.question.measure  # type: ignore[return-value] # a value of the enum

    @strawberry.field(description="What it is grouped by.")
    def group_by(self, parent: Root) -> list[Dimension]:
        return list(parent.question.group_by)  # type: ignore[arg-type] # values of the enum

    @strawberry.field(description="The names that it is about, by dimension; empty for all.")
    def filter(self, parent: Root) -> list[AlertNames]:
        return [
            AlertNames(dimension=dimension, names=list(names))  # type: ignore[arg-type]
            for dimension, names in parent.question.filter.items()
        ]

    @strawberry.field(
        description="What of it the catalogue no longer has, in a sentence; null if it has all."
    )
    def problem(self, parent: Root) -> str | None:
        return parent.question.problem


@strawberry.input(description=f"A panel to keep: a project keeps at most {PANELS_AT_MOST}.")
class KeepPanelInput:
    project: str = read("The slug of the project.")
    title: str = read(_TITLE)
    measure: Measure = read("The measure.")
    group_by: list[Dimension] = strawberry.field(
        default_factory=list,
        description=f"What it is grouped by, at most {MAX_GROUPED_BY} dimensions.",
    )
    filter: MetricFilter | None = optional(
        f"What it is about, at most {NAMES_AT_MOST} names; all of the project by default."
    )


@strawberry.type(description="The result of keepPanel.")
class KeepPanelPayload:
    panel: KeptPanel | None = read("The panel; null if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.input(description="A panel to remove.")
class RemovePanelInput:
    project: str = read("The slug of the project.")
    panel_id: strawberry.ID = strawberry.field(name="id", description=_ID)


@strawberry.type(description="The result of removePanel.")
class RemovePanelPayload:
    removed: bool = read("True if there was such a panel.")
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.input(description="A panel and its new title.")
class RenamePanelInput:
    project: str = read("The slug of the project.")
    panel_id: strawberry.ID = strawberry.field(name="id", description=_ID)
    title: str = read(_TITLE)


@strawberry.type(description="The result of renamePanel.")
class RenamePanelPayload:
    panel: KeptPanel | None = read("The panel; null if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.input(description="The order of the panels of a project.")
class OrderPanelsInput:
    project: str = read("The slug of the project.")
    panels: list[strawberry.ID] = read("The ids of all of its panels, in their new order.")


@strawberry.type(description="The result of orderPanels.")
class OrderPanelsPayload:
    panels: list[KeptPanel] = read("The panels in their order; empty if refused.")
    user_errors: list[UserError] = read(WHY_REFUSED)


@strawberry.type
class KeptPanelMutations:
    @mutation(Permission.MANAGE, "Keeps a panel in the page of a project.", targets=("project",))
    async def keep_panel(
        self, info: Info, input: Annotated[KeepPanelInput, strawberry.argument("The panel.")]
    ) -> KeepPanelPayload:
        question = Question(
            input.measure.value,
            tuple(each.value for each in input.group_by),
            filter_names(input.filter),
        )
        panel, errors = await resolvers.keep(info.context, input.project, input.title, question)
        return KeepPanelPayload(panel=panel, user_errors=errors)  # type: ignore[arg-type]

    @mutation(
        Permission.MANAGE, "Removes a panel from the page of a project.", targets=("project",)
    )
    async def remove_panel(
        self, info: Info, input: Annotated[RemovePanelInput, strawberry.argument("The panel.")]
    ) -> RemovePanelPayload:
        removed, errors = await resolvers.remove(info.context, input.project, input.panel_id)
        return RemovePanelPayload(removed=removed, user_errors=errors)  # type: ignore[arg-type]

    @mutation(Permission.MANAGE, "Renames a panel in the page of a project.", targets=("project",))
    async def rename_panel(
        self, info: Info, input: Annotated[RenamePanelInput, strawberry.argument("The title.")]
    ) -> RenamePanelPayload:
        panel, errors = await resolvers.rename(
            info.context, input.project, input.panel_id, input.title
        )
        return RenamePanelPayload(panel=panel, user_errors=errors)  # type: ignore[arg-type]

    @mutation(
        Permission.MANAGE, "Orders the panels in the page of a project.", targets=("project",)
    )
    async def order_panels(
        self, info: Info, input: Annotated[OrderPanelsInput, strawberry.argument("The order.")]
    ) -> OrderPanelsPayload:
        panels, errors = await resolvers.order(info.context, input.project, input.panels)
        return OrderPanelsPayload(panels=panels, user_errors=errors)  # type: ignore[arg-type]
