"""Writes docs/permissions.md: the permissions of fields and routes, by role."""

from collections.abc import Sequence

import strawberry

from access.viewers import Permission, Role
from gateway.cli.tables import table
from gateway.routes import ROUTES
from schema.declarations import Needs, declarations, roles_with

MEANINGS = {
    Permission.READ: "see what there is about the projects named",
    Permission.RECORD: "send events of the projects named",
    Permission.MANAGE: "keep alerts and errors of the projects named in order",
    Permission.PROVISION: "make projects, networks and templates known",
    Permission.ADMINISTER: "see and change tokens, rate limits and the audit log",
}

HEAD = """\
# Permissions

`make schema` writes this page from the code: each field of the API declares what it needs, the
gateway enforces that declaration before the field's resolver runs, and a test asks for every field
in every role. A field without a declaration cannot be built.

A token's roles decide what it may do and its projects what it may do it to; a token with several
roles may do what any of them may. Everything about a project that a token does not name is answered
like something that never existed, whatever its roles. Admins see every project; networks, templates
and the catalogue of measures are the same for all.

What is below a root field has been let in with it. An answer to a token that may record and not
read shows nothing that was stored: the `deployment` of `recordDeployment` is null for it.
"""

TAIL = """\
## Commands
The commands of `gateway` read and write the database at `DATABASE_URL` and ask for no token: who
has that address and its password may do everything.
"""


def page(schema: strawberry.Schema) -> str:
    """The whole page."""
    rows: dict[str, list[Sequence[str]]] = {}
    for field in declarations(schema):
        if needs := field.rules.needs:
            row = (f"`{field.name}`", needs, *_marks(needs))
            rows.setdefault(field.parent.name, []).append(row)
    tables = [table(parent, ("field", "needs", *Role), found) for parent, found in rows.items()]
    return "\n".join([HEAD, _meanings(), *tables, _routes(), TAIL])


def _meanings() -> str:
    rows = [(needs.value, MEANINGS[needs], *_marks(needs)) for needs in Permission]
    return table("Roles", ("permission", "it is to", *Role), rows)


def _routes() -> str:
    rows = []
    for route in {route.path: route for route in ROUTES}.values():
        if isinstance(route.needs, Permission):
            marks = _marks(route.needs)
        else:
            marks = ["yes" if route.is_public else "see above" for _role in Role]
        rows.append((f"`{route.path}`", route.needs.value, *marks))
    return table("Routes", ("route", "needs", *Role), rows)


def _marks(needs: Needs) -> list[str]:
    allowed = roles_with(needs)
    return ["yes" if role in allowed else "-" for role in Role]
