"""Writes docs/permissions.md: the permissions of fields and routes, by role."""

from collections.abc import Sequence

import strawberry

from access.viewers import Permission, Role
from gateway.cli.tables import table
from gateway.http.edge_route import KIB, Access, EdgeRoute
from gateway.routes import ROUTES
from gateway.services import Gateway
from schema.declarations import Needs, declarations, roles_with

MEANINGS = {
    Permission.READ: "read the data of the token's projects",
    Permission.RECORD: "send events of the token's projects",
    Permission.MANAGE: "manage alerts and errors of the token's projects",
    Permission.PROVISION: "create and change projects, networks and templates",
    Permission.ADMINISTER: "manage tokens and rate limits, and read the audit log",
}

# Of routes that no single permission guards, the same for every role.
MARKS = {Access.PUBLIC: "yes", Access.EACH_FIELD: "see above", Access.PROJECT_KEY: "-"}

HEAD = """\
# Permissions

`make schema` writes this page from the code. Each field of the API declares the permission it
needs, the gateway checks it before the field's resolver runs, and a test asks for every field in
every role. A root field without a declaration does not build.

The roles of a token decide what it may do, its projects to which data. A token with several roles
may do whatever one of them allows. In every role but admin, a project that the token does not name
is answered like one that does not exist. Networks, templates and measures are the same for all.

The permission of a root field covers the fields below it. A token that may record but not read gets
no stored data: the `deployment` of its `recordDeployment` is null.
"""

TAIL = """\
## Commands
The commands of `gateway` use the database at `DATABASE_URL` and need no token: anyone with that
address and its password may do everything.
"""


def page(schema: strawberry.Schema, routes: Sequence[EdgeRoute[Gateway]] = ROUTES) -> str:
    """The whole page."""
    rows: dict[str, list[Sequence[str]]] = {}
    for field in declarations(schema):
        if needs := field.rules.needs:
            row = (f"`{field.name}`", needs, *_marks(needs))
            rows.setdefault(field.parent.name, []).append(row)
    tables = [table(parent, ("field", "needs", *Role), found) for parent, found in rows.items()]
    return "\n".join([HEAD, _meanings(), *tables, _routes(routes), TAIL])


def _meanings() -> str:
    rows = [(needs.value, MEANINGS[needs], *_marks(needs)) for needs in Permission]
    return table("Roles", ("permission", "allows to", *Role), rows)


def _routes(routes: Sequence[EdgeRoute[Gateway]]) -> str:
    rows = []
    for route in routes:
        if isinstance(route.needs, Permission):
            marks = _marks(route.needs)
        else:
            marks = [MARKS[route.needs] for _role in Role]
        rows.append(
            (
                f"`{route.path}{'/…' if route.is_folder else ''}`",
                ", ".join(route.methods or ("any",)),
                route.needs.value,
                *marks,
                f"{-(-route.body_bytes // KIB):,}",
                "any" if route.is_any_origin else "yes" if route.is_cross_origin else "-",
                "yes" if route.is_audited else "-",
            )
        )
    columns = ("body, at most KiB", "pages of `CORS_ORIGINS`", "in the audit log")
    return table("Routes", ("route", "methods", "needs", *Role, *columns), rows)


def _marks(needs: Needs) -> list[str]:
    allowed = roles_with(needs)
    return ["yes" if role in allowed else "-" for role in Role]
