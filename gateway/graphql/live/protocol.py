"""graphql-transport-ws: its close codes, and what its messages must hold."""

from collections.abc import Mapping
from typing import Any

PROTOCOL = "graphql-transport-ws"
REASON_BYTES = 123  # what a closing frame has room for
ID_CHARACTERS = 100

# What the payload of a `subscribe` message may hold; the query may be named by its digest instead.
MEMBERS: dict[str, tuple[type, str]] = {
    "query": (str, "a text"),
    "operationName": (str, "a text"),
    "variables": (dict, "an object"),
    "extensions": (dict, "an object"),
}

INVALID = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
SUBPROTOCOL = 4406
INIT_TIMEOUT = 4408
DUPLICATE = 4409
TOO_MANY = 4429
TOO_SLOW = 4508
RESTART = 1012
TRY_LATER = 1013


class Closing(Exception):  # noqa: N818 - the end of a connection, not a fault of ours
    """The connection is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:REASON_BYTES].decode(errors="ignore")


def id_of(message: Mapping[str, Any]) -> str:
    """The id of the operation that a message is about."""
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= ID_CHARACTERS:
        raise Closing(INVALID, f"An id is a text of 1 to {ID_CHARACTERS} characters")
    return id


def operation_of(payload: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The operation that a `subscribe` message asks for, its members being what they must be."""
    if payload is None:
        raise Closing(INVALID, "A subscription has a payload")
    for name, (kind, called) in MEMBERS.items():
        if not isinstance(payload.get(name), kind | None):
            raise Closing(INVALID, f"The payload's {name} is not {called}")
    persisted = (payload.get("extensions") or {}).get("persistedQuery")
    if all(each is None for each in (payload.get("query"), payload.get("documentId"), persisted)):
        raise Closing(INVALID, "The payload has no query")
    return payload


def token_of(payload: Mapping[str, Any], header: str | None) -> str:
    """From `authorization` or `token` of the payload, else from the header of the handshake."""
    given = payload.get("authorization", payload.get("Authorization", payload.get("token", header)))
    if not isinstance(given, str) or not given.strip():
        raise Closing(FORBIDDEN, "Forbidden: send the token as `authorization` in connection_init")
    scheme, _, rest = given.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else given.strip()
