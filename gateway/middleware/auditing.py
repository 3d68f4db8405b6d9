"""Notes for the audit log who came with which token, and what crashed."""

from dataclasses import replace

from starlette.requests import HTTPConnection
from starlette.types import Scope

from access.token_uses import Kind, TokenUses
from access.viewers import Viewer
from gateway.http.proxies import budget_address
from gateway.http.requests import (
    CRASHES,
    REFUSED,
    UNDONE,
    address_of,
    request_id_of,
    state_of,
    viewer_or_none,
)
from storage.admin.audit import OK, AuditRecord

AUDITED_PATHS = frozenset({"/graphql", "/v1/events"})
CRASHES_SHOWN = 10
MAX_REASON_LENGTH = 200

_OUTCOMES = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 429: "RATE_LIMITED"}


def note_use(scope: Scope, status: int) -> None:
    """One more use of the request's token, or one more without any that is believed."""
    if scope["path"] not in AUDITED_PATHS or (uses := _uses(scope)) is None:
        return
    state = state_of(scope)
    if "viewer" in state:
        kind, events = _kind_of_use(scope, status), state.get("log", {}).get("events", 0)
        if not uses.used_again(kind, events):
            uses.used(_entry(scope, kind.action, kind.outcome), events)
    elif REFUSED in state or status == 429:
        entry = _entry(scope, "token.refused", _OUTCOMES[status or 401])
        reason = {"reason": state[REFUSED][:MAX_REASON_LENGTH]} if REFUSED in state else {}
        uses.refused(replace(entry, address=budget_address(entry.address), details=reason))


def _kind_of_use(scope: Scope, status: int) -> Kind:
    """Under what the use of a believed token is counted."""
    state = state_of(scope)
    viewer: Viewer = state["viewer"]
    outcome = _OUTCOMES.get(status) or state.get("log", {}).get("outcome", OK)
    address = address_of(HTTPConnection(scope))
    return Kind(viewer.subject, viewer.token_id, "token.used", outcome, scope["path"], address)


def note_single(scope: Scope) -> None:
    """An entry for what crashed, and one for each mutation that never began."""
    state = state_of(scope)
    if not (CRASHES in state or UNDONE in state) or (uses := _uses(scope)) is None:
        return
    if crashes := state.get(CRASHES):
        details = {
            "errors": crashes[:CRASHES_SHOWN],
            "operation": state.get("log", {}).get("operation_name", ""),
        }
        target = f"{scope.get('method', 'WebSocket')} {scope['path']}"
        entry = _entry(scope, "request.crashed", "INTERNAL")
        uses.add(replace(entry, target=target, details=details))
    for name in state.get(UNDONE, ()):
        uses.add(replace(_entry(scope, f"mutation.{name}", "BAD_USER_INPUT"), target=None))


def _entry(scope: Scope, action: str, outcome: str) -> AuditRecord:
    connection = HTTPConnection(scope)
    viewer = viewer_or_none(connection)
    return AuditRecord(
        subject=viewer.subject if viewer else "",
        token_id=viewer.token_id if viewer else None,
        action=action,
        outcome=outcome,
        target=scope["path"],
        request_id=request_id_of(connection),
        address=address_of(connection),
    )


def _uses(scope: Scope) -> TokenUses | None:
    return getattr(scope["app"].state, "token_uses", None)
