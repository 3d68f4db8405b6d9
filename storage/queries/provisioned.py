"""Projects, networks and templates: the names that admins provision.

Networks and templates are the same for every tenant.
"""

from sqlalchemy import true

from storage.dimensions import NETWORK, OTHER, PROJECT, TEMPLATE, Dimension
from storage.queries.paging import OrderColumn, TableList


def _by_name(dimension: Dimension) -> TableList:
    is_project = dimension is PROJECT
    return TableList(
        dimension.plural,
        dimension.dictionary,
        [OrderColumn(dimension.names)],
        condition=true() if is_project else dimension.key > OTHER,
        project_id=dimension.key if is_project else None,
    )


BY_NAME = {dimension: _by_name(dimension) for dimension in (PROJECT, NETWORK, TEMPLATE)}
