"""graphql-transport-ws: its close codes, and checks of its messages."""

from collections.abc import Mapping
from typing import Any

PROTOCOL = "graphql-transport-ws"
REASON_BYTES = 123  # the room in a close frame
ID_CHARACTERS = 100

# The members of a `subscribe` payload; a digest may stand for the query.
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

SLOW_REASON = "Too slow: answers are not read"


class Closing(Exception):  # noqa: N818 - the end of a connection, not a fault of ours
    """Ends the connection with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:REASON_BYTES].decode(errors="ignore")


def id_of(message: Mapping[str, Any]) -> str:
    """The id of the operation in a message."""
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= ID_CHARACTERS:
        raise Closing(INVALID, f"An id is a text of 1 to {ID_CHARACTERS} characters")
    return id


def operation_of(payload: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The payload of a `subscribe` message, with the types of its members checked."""
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
    """The token in `authorization` or `token` of the payload, else in the handshake's header."""
    given = payload.get("authorization", payload.get("Authorization", payload.get("token", header)))
    if not isinstance(given, str) or not given.strip():
        raise Closing(FORBIDDEN, "Forbidden: send the token as `authorization` in connection_init")
    scheme, _, rest = given.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else given.strip()
