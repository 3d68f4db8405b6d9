"""What the middleware leaves on a request for those further in."""

from typing import Any

from starlette.requests import HTTPConnection
from starlette.types import Scope

from access.viewers import Viewer
from gateway.http.proxies import TrustedProxies
from storage.errors import Unauthenticated

# Under these names a request's state tells the audit log what it cannot see from outside:
CRASHES = "crashes"  # the exceptions nobody expected, as observability/crashes describes them
REFUSED = "refused"  # why a token was not believed
UNDONE = "undone"  # the mutations whose arguments were refused, so that they never began


def state_of(scope: Scope) -> dict[str, Any]:
    """The request's own dictionary; the server may have put a copy of the lifespan's there."""
    state: dict[str, Any] = scope.setdefault("state", {})
    return state


def request_id_of(request: HTTPConnection) -> str:
    return str(state_of(request.scope).get("request_id", ""))


def viewer_or_none(request: HTTPConnection) -> Viewer | None:
    viewer = state_of(request.scope).get("viewer")
    return viewer if isinstance(viewer, Viewer) else None


def viewer_of(request: HTTPConnection) -> Viewer:
    """The verified viewer; raises Unauthenticated where no token came with the request."""
    viewer = viewer_or_none(request)
    if viewer is None:
        raise Unauthenticated("A token is required: send it as `Authorization: Bearer <token>`.")
    return viewer


def address_of(connection: HTTPConnection) -> str:
    """The client's address, as the trusted proxies tell it."""
    proxies: TrustedProxies = connection.app.state.proxies
    return proxies.client(connection.scope)


def log_fields(request: HTTPConnection) -> dict[str, Any]:
    """What the request's own log line will say beside the usual."""
    fields: dict[str, Any] = state_of(request.scope).setdefault("log", {})
    return fields
