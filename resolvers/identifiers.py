"""Global ids: the kind of a node and its key, opaque to clients."""

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache

from storage.errors import InvalidInput

MAX_LENGTH = 200
MAX_NUMBER = 2**31 - 1

_ID = re.compile(r"(?P<kind>[A-Z][A-Za-z]*):(?P<number>[0-9]{1,40})(:(?P<key>[^:]+))?", re.ASCII)

_URLSAFE = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True, slots=True)
class Identifier:
    """A decoded global id: the kind of a node, a number, and its key inside a project or ""."""

    kind: str
    number: int | None  # None if it is too large for an id in the database
    key: str


@lru_cache(maxsize=4096)
def encode_number(kind: str, number: int) -> str:
    """Returns the id of a node that many others link to."""
    return encode(kind, number)


def encode(kind: str, *parts: object) -> str:
    return _encoded(":".join((kind, *map(str, parts))))


def encode_entity(kind: str, project_id: int, id: object) -> str:
    """The same for an entity, but faster: lists have many of them."""
    return _encoded(f"{kind}:{project_id}:{id}")


def _encoded(text: str) -> str:
    return binascii.b2a_base64(text.encode(), newline=False).translate(_URLSAFE, b"=").decode()


def decode(text: str) -> Identifier:
    """Parses a global id; raises InvalidInput for any other text."""
    try:
        found = _ID.fullmatch(decode_base64(text, MAX_LENGTH).decode())
    except UnicodeError:
        found = None
    if found is None:
        raise no_global_id(text)
    # The driver rejects larger values for an id column.
    number = int(found["number"])
    return Identifier(found["kind"], number if number <= MAX_NUMBER else None, found["key"] or "")


def no_global_id(text: str) -> InvalidInput:
    return InvalidInput(f"{text[:64]!r} is not a global id: use ids as the API returns them.")


def decode_base64(text: str, max_length: int) -> bytes:
    """Returns the bytes of URL-safe base64, padded or not; none for any other text."""
    if len(text) > max_length:
        return b""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (UnicodeError, binascii.Error):
        return b""
