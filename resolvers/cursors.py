"""Cursors: a place in an ordered list, signed for the list and the scope it was given to."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from access.scopes import Scope
from storage.errors import InvalidInput

SIGNATURE_BYTES = 16
MAX_LENGTH = 600


@dataclass(frozen=True, slots=True)
class CursorSigner:
    """Writes and reads the cursors of one list, in one order, for one scope."""

    key: bytes
    place: bytes

    @classmethod
    def of(cls, key: bytes, scope: Scope, ordering: str) -> CursorSigner:
        """`ordering` names the list and its order, such as "deployments:created_at:desc"."""
        return cls(key, f"{ordering}|{scope.key()}".encode())

    def write(self, values: Sequence[Any]) -> str:
        payload = orjson.dumps(list(values))
        return base64.urlsafe_b64encode(self._signature(payload) + payload).rstrip(b"=").decode()

    def read(self, cursor: str, name: str) -> list[Any]:
        """The values again; `name` is the argument the cursor came in."""
        signed = _bytes(cursor)
        signature, payload = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(payload)):
            raise InvalidInput(
                "This cursor does not belong to this list: use cursors of the same field with the "
                "same orderBy, and start again without one if your access has changed.",
                path=name,
            )
        values: list[Any] = orjson.loads(payload)
        return values

    def _signature(self, payload: bytes) -> bytes:
        digest = hmac.digest(self.key, self.place + b"|" + payload, "sha256")
        return digest[:SIGNATURE_BYTES]


def _bytes(cursor: str) -> bytes:
    if len(cursor) > MAX_LENGTH:
        return b""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (UnicodeError, binascii.Error):
        return b""
