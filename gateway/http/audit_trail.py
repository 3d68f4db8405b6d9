"""Writes what became of a request to the audit log: token uses, refusals, crashes."""

from dataclasses import replace

from access.token_uses import Kind, TokenUses
from access.viewers import Viewer
from gateway.http.exchange import Exchange
from gateway.http.proxies import budget_address
from storage.admin.audit import OK, AuditRecord

CRASHES_SHOWN = 10
MAX_REASON_LENGTH = 200

_OUTCOMES = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 429: "RATE_LIMITED"}


def record_use(exchange: Exchange, uses: TokenUses, status: int) -> None:
    """Counts one use of the request's token, or one refusal of a request without a valid one.

    `status` is that of the response, or 0 where the client left before it.
    """
    if not exchange.route.is_audited:
        return
    if exchange.viewer is not None:
        kind, events = _kind_of_use(exchange, exchange.viewer, status), exchange.events or 0
        if not uses.used_again(kind, events):
            uses.used(entry(exchange, kind.action, kind.outcome), events)
    elif exchange.refusal is not None or status == 429:
        record_refusal(exchange, uses, _OUTCOMES[status or 401])


def record_refusal(exchange: Exchange, uses: TokenUses, outcome: str) -> None:
    """Counts one request whose token was refused."""
    reason = {} if exchange.refusal is None else {"reason": exchange.refusal[:MAX_REASON_LENGTH]}
    refused = entry(exchange, "token.refused", outcome)
    uses.refused(replace(refused, address=budget_address(exchange.address), details=reason))


def record_failures(exchange: Exchange, uses: TokenUses) -> None:
    """Adds an entry for what crashed, and one for each mutation that never began."""
    if exchange.crashes:
        details = {
            "errors": exchange.crashes[:CRASHES_SHOWN],
            "operation": exchange.operation_name or "",
        }
        crashed = entry(exchange, "request.crashed", "INTERNAL")
        target = f"{exchange.method} {exchange.path}"
        uses.add(replace(crashed, target=target, details=details))
    for name in exchange.mutations_not_begun:
        uses.add(replace(entry(exchange, f"mutation.{name}", "BAD_USER_INPUT"), target=None))


def entry(exchange: Exchange, action: str, outcome: str) -> AuditRecord:
    """An entry about this request."""
    viewer = exchange.viewer
    return AuditRecord(
        subject=viewer.subject if viewer else "",
        token_id=viewer.token_id if viewer else None,
        action=action,
        outcome=outcome,
        target=exchange.path,
        request_id=exchange.request_id,
        address=exchange.address,
    )


def _kind_of_use(exchange: Exchange, viewer: Viewer, status: int) -> Kind:
    """The kind under which the use of a valid token is counted."""
    outcome = _OUTCOMES.get(status) or exchange.outcome or OK
    return Kind(
        viewer.subject, viewer.token_id, "token.used", outcome, exchange.path, exchange.address
    )
