"""`Exchange`: the state of one request, which each layer adds to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope

from access.budgets import Spending
from access.viewers import Viewer
from analytics.answer import Answer
from gateway.http.crashes import Crash
from gateway.http.edge_route import UNMATCHED, EdgeRoute
from storage.errors import Unauthenticated

WEBSOCKET = "WebSocket"
_KEY = "gateway.exchange"


@dataclass(slots=True)
class Exchange:
    """What is known of one HTTP request, or of one operation on a WebSocket.

    The outermost middleware begins it, the layers further in add to it, and the outermost one
    writes the log line, the metrics and the audit entries from it.
    """

    request_id: str
    route: EdgeRoute[Any] = UNMATCHED
    method: str = ""  # of HTTP, or WEBSOCKET
    address: str = ""  # the client's, as trusted proxies report it
    base_url: str = ""  # this gateway's, as the client wrote it
    viewer: Viewer | None = None
    # What the budgets decided; None until the request was charged.
    spendings: list[Spending] | None = None
    # The GraphQL operation, for the log line: its kind, name, the start of its document's hash.
    operation: str | None = None
    operation_name: str | None = None
    document: str | None = None
    outcome: str | None = None  # "ok" or an error code
    events: int | None = None  # how many events the body held
    is_stream: bool = False  # the response ends only when the client has read enough
    answers: list[Answer] = field(default_factory=list)  # the aggregates in the response
    crashes: list[Crash] = field(default_factory=list)  # unexpected exceptions
    # For the audit log: why the token was refused, and mutations whose arguments were refused.
    refusal: str | None = None
    mutations_not_begun: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, scope: Scope) -> Exchange:
        """The exchange of an ASGI scope, which the outermost middleware has put there."""
        exchange = scope[_KEY]
        assert isinstance(exchange, cls)
        return exchange

    def attach(self, scope: Scope) -> None:
        """Makes this the exchange of an ASGI scope."""
        scope[_KEY] = self

    def for_operation(self) -> Exchange:
        """A new exchange for one operation of a WebSocket, for the same viewer."""
        return Exchange(
            self.request_id, self.route, self.method, self.address, self.base_url, self.viewer
        )

    @property
    def target(self) -> str:
        """The name of the endpoint in the audit log."""
        is_socket = self.method == WEBSOCKET
        return f"{self.route.path} (WebSocket)" if is_socket else self.route.path

    def required_viewer(self) -> Viewer:
        """The verified viewer; raises Unauthenticated where the request came without a token."""
        if self.viewer is None:
            raise Unauthenticated(
                "A token is required: send it as `Authorization: Bearer <token>`."
            )
        return self.viewer

    def log_fields(self) -> dict[str, Any]:
        """The fields of the request's log line that are known."""
        fields = {
            "subject": self.viewer.subject if self.viewer else None,
            "operation_name": self.operation_name,
            "document": self.document,
            "operation": self.operation,
            "outcome": self.outcome,
            "events": self.events,
        }
        return {name: value for name, value in fields.items() if value is not None}


def exchange_or_empty(scope: Scope) -> Exchange:
    """The exchange of an ASGI scope; an empty one where the request failed before it began."""
    return Exchange.of(scope) if _KEY in scope else Exchange("")
