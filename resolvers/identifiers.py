"""Global ids: the kind of a thing and its key, opaque to clients."""

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
    """What a global id can name."""

    DEPLOYMENT = "Deployment"
    ENVIRONMENT = "Environment"
    NETWORK = "Network"
    PROJECT = "Project"
    TEMPLATE = "Template"


# How many parts the key of each has: things of a project begin with the project.
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

    def number(self, index: int = 0) -> int | None:
        """A part as a database id, or None if it cannot be one."""
        text = self.parts[index] if index < len(self.parts) else ""
        if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
            return None
        # Beyond this no id column can even be compared with it.
        return number if (number := int(text)) <= MAX_NUMBER else None


@lru_cache(maxsize=4096)
def encode_number(kind: NodeKind, number: int) -> str:
    """The id of a thing that many deployments link to."""
    return encode(kind, number)


def encode(kind: NodeKind, *parts: object) -> str:
    return _encoded(":".join((kind, *map(str, parts))))


def encode_deployment(project_id: int, deployment_id: object) -> str:
    """Lists have many of them."""
    return _encoded(f"Deployment:{project_id}:{deployment_id}")


def _encoded(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).translate(_URLSAFE, b"=").decode()


def decode(text: str) -> Identifier:
    """The thing a global id names; what is no global id is the caller's mistake."""
    kind, *parts = _plain(text).split(":")
    if kind not in PARTS or len(parts) != PARTS[kind]:
        raise InvalidInput("This is no id of ours: use ids as they were returned.")
    return Identifier(NodeKind(kind), tuple(parts))


def _plain(text: str) -> str:
    if len(text) > MAX_LENGTH:
        return ""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (UnicodeError, binascii.Error):
        return ""
