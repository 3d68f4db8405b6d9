"""Filters of figures: which deployments are counted."""

from typing import Annotated

import strawberry

from resolvers.population import FilterNames
from schema.declarations import optional


@strawberry.input(
    description="Which deployments are counted: those that match a name of every given list."
)
class DeploymentStatsFilter:
    projects: list[str] | None = optional(
        "Slugs of projects; NOT_FOUND if you cannot see one of them."
    )
    environments: list[str] | None = optional("Names of environments.")
    networks: list[str] | None = optional("Names of networks; `other` stands for all unknown ones.")
    templates: list[str] | None = optional(
        "Slugs of templates; `other` stands for all unknown ones."
    )
    frameworks: list[str] | None = optional("Names of frameworks.")


FilterArgument = Annotated[
    DeploymentStatsFilter | None,
    strawberry.argument("The deployments to count; all you can see by default."),
]


def filter_names(filter: DeploymentStatsFilter | None) -> FilterNames:
    given = {} if filter is None else vars(filter)
    return {field: tuple(names) for field, names in given.items() if names is not None}
