"""Writes a request's token use, refusal or crash to the audit log."""

from dataclasses import replace

from access.token_uses import TokenUse, TokenUses
from gateway.http.exchange import Exchange
from gateway.http.proxies import budget_address
from storage.admin.audit import OK, AuditRecord

CRASHES_SHOWN = 10
MAX_REASON_LENGTH = 200

_OUTCOMES = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 429: "RATE_LIMITED"}


def record_response(exchange: Exchange, uses: TokenUses, status: int) -> None:
    """Counts a use of the request's token, or a refusal of a request without a valid one.

    `status` is that of the response, or 0 where the client left before it.
    """
    if not exchange.route.is_audited:
        return
    if exchange.viewer is not None:
        record_use(exchange, uses, _OUTCOMES.get(status) or exchange.outcome or OK)
    elif exchange.refusal is not None or status == 429:
        record_refusal(exchange, uses, _OUTCOMES[status or 401])


def record_use(exchange: Exchange, uses: TokenUses, outcome: str) -> None:
    """Counts a use of the exchange's valid token."""
    viewer = exchange.required_viewer()
    use = TokenUse(
        viewer.subject,
        outcome=outcome,
        token_id=viewer.token_id,
        target=exchange.target,
        address=exchange.address,
    )
    uses.used(use, exchange.request_id, exchange.events or 0)


def record_refusal(exchange: Exchange, uses: TokenUses, outcome: str) -> None:
    """Counts a request whose token was refused."""
    address = budget_address(exchange.address)
    reason = (exchange.refusal or "")[:MAX_REASON_LENGTH]
    use = TokenUse("", "token.refused", outcome, None, exchange.target, address, reason)
    uses.refused(use, exchange.request_id)


def record_failures(exchange: Exchange, uses: TokenUses) -> None:
    """Adds an entry for what crashed, and one for each mutation that never began."""
    if exchange.crashes:
        details = {
            "errors": [crash.for_audit() for crash in exchange.crashes[:CRASHES_SHOWN]],
            "operation": exchange.operation_name or "",
        }
        crashed = _record(exchange, "request.crashed", "INTERNAL")
        target = f"{exchange.method} {exchange.route.path}"
        uses.add(replace(crashed, target=target, details=details))
    for name in exchange.mutations_not_begun:
        uses.add(_record(exchange, f"mutation.{name}", "BAD_USER_INPUT"))


def _record(exchange: Exchange, action: str, outcome: str) -> AuditRecord:
    viewer = exchange.viewer
    return AuditRecord(
        subject=viewer.subject if viewer else "",
        token_id=viewer.token_id if viewer else None,
        action=action,
        outcome=outcome,
        request_id=exchange.request_id,
        address=exchange.address,
    )
