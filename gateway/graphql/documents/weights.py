"""What things weigh in a query's cost, and how much each role may ask for at once."""

from collections.abc import Mapping
from types import MappingProxyType

from access.viewers import Role, Viewer

OBJECT = 1
# A statement of its own, or a part of one that is as dear.
STATEMENT = 10
HALF_STATEMENT = 5

# By the type that is answered.
TYPE_WEIGHTS: Mapping[str, int] = MappingProxyType(
    {
        "DeploymentStats": STATEMENT,
        "DeploymentStatsGroup": STATEMENT,
        "DeploymentTotals": STATEMENT,
        "MetricTable": STATEMENT,
        "TemplateUsage": STATEMENT,
    }
)
CONNECTION_WEIGHT = HALF_STATEMENT
MUTATION_WEIGHT = STATEMENT

# By field, where it is not what its type weighs.
FIELD_WEIGHTS: Mapping[str, int] = MappingProxyType(
    {
        "AuditEntryConnection.totalCount": HALF_STATEMENT,
        "DeploymentConnection.totalCount": HALF_STATEMENT,
        "Project.environments": HALF_STATEMENT,
        "Project.latestDeployments": HALF_STATEMENT,
        "ProjectConnection.totalCount": HALF_STATEMENT,
        "TemplateConnection.totalCount": HALF_STATEMENT,
    }
)

# How many items a list without a page size is taken to have.
ASSUMED_ITEMS = 10
FIELD_ITEMS: Mapping[str, int] = MappingProxyType({"Query.measures": 40, "Query.networks": 20})
VALUES_PER_POINT = 10  # of a table, whose values are plain numbers

MAX_COST: Mapping[Role, int] = MappingProxyType(
    {Role.INGEST: 2_000, Role.VIEWER: 10_000, Role.MAINTAINER: 10_000, Role.ADMIN: 40_000}
)


def max_cost(viewer: Viewer) -> int:
    """The most one query of this viewer may cost."""
    return max((MAX_COST[role] for role in viewer.roles), default=0)
