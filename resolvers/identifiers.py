"""Global ids: the kind of a node and its key, opaque to clients."""

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from storage.errors import InvalidInput

MAX_LENGTH = 200
MAX_DIGITS = 10
MAX_NUMBER = 2**31 - 1

_URLSAFE = bytes.maketrans(b"+/", b"-_")


class NodeKind(StrEnum):
    """The kinds of nodes with global ids."""

    DEPLOYMENT = "Deployment"
    ENVIRONMENT = "Environment"
    NETWORK = "Network"
    PROJECT = "Project"
    TEMPLATE = "Template"


# The number of parts of each kind's key; nodes of a project begin with the project's id.
PARTS: dict[str, int] = {
    NodeKind.DEPLOYMENT: 2,
    NodeKind.ENVIRONMENT: 2,
    NodeKind.NETWORK: 1,
    NodeKind.PROJECT: 1,
    NodeKind.TEMPLATE: 1,
}


@dataclass(frozen=True, slots=True)
class Identifier:
    """A decoded global id."""

    kind: NodeKind
    parts: tuple[str, ...]

    @property
    def number(self) -> int | None:
        """The first part as a database id, or None if it is not one."""
        text = self.parts[0]
        if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
            return None
        # The driver rejects larger values for an id column.
        return number if (number := int(text)) <= MAX_NUMBER else None


@lru_cache(maxsize=4096)
def encode_number(kind: NodeKind, number: int) -> str:
    """Returns the id of a node that many deployments link to."""
    return encode(kind, number)


def encode(kind: NodeKind, *parts: object) -> str:
    return _encoded(":".join((kind, *map(str, parts))))


def encode_deployment(project_id: int, deployment_id: object) -> str:
    """The same for a deployment, but faster: lists have many of them."""
    return _encoded(f"Deployment:{project_id}:{deployment_id}")


def _encoded(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).translate(_URLSAFE, b"=").decode()


def decode(text: str) -> Identifier:
    """Parses a global id; raises InvalidInput for any other text."""
    try:
        kind, *parts = decode_base64(text, MAX_LENGTH).decode().split(":")
    except UnicodeError:
        kind, parts = "", []
    if kind not in PARTS or len(parts) != PARTS[kind]:
        raise InvalidInput(f"{text[:64]!r} is not a global id: use ids as the API returns them.")
    return Identifier(NodeKind(kind), tuple(parts))


def decode_base64(text: str, max_length: int) -> bytes:
    """Returns the bytes of URL-safe base64, padded or not; none for any other text."""
    if len(text) > max_length:
        return b""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (UnicodeError, binascii.Error):
        return b""
