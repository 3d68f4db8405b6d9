"""Cursors: a position in an ordered list, signed for that list and the scope of its viewer."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from access.scopes import Scope
from resolvers.identifiers import decode_base64
from storage.errors import InvalidInput

SIGNATURE_BYTES = 16
MAX_LENGTH = 600


@dataclass(frozen=True, slots=True)
class CursorSigner:
    """Writes and reads the cursors of one list, in one order, for one scope."""

    key: bytes
    list_key: bytes

    @classmethod
    def of(cls, key: bytes, scope: Scope, ordering: str) -> CursorSigner:
        """`ordering` names the list and its order, such as "deployments:created_at:desc"."""
        return cls(key, f"{ordering}|{scope.key()}".encode())

    def write(self, values: Sequence[Any]) -> str:
        payload = orjson.dumps(list(values))
        return base64.urlsafe_b64encode(self._signature(payload) + payload).rstrip(b"=").decode()

    def read(self, cursor: str, name: str) -> list[Any]:
        """Returns the values; raises InvalidInput for a foreign cursor in the argument `name`."""
        signed = decode_base64(cursor, MAX_LENGTH)
        signature, payload = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(payload)):
            raise foreign_cursor(name)
        values: list[Any] = orjson.loads(payload)
        return values

    def _signature(self, payload: bytes) -> bytes:
        digest = hmac.digest(self.key, self.list_key + b"|" + payload, "sha256")
        return digest[:SIGNATURE_BYTES]


def foreign_cursor(argument: str) -> InvalidInput:
    return InvalidInput(
        "This cursor does not belong to this list: use cursors of the same field with the same "
        "orderBy, and start again without one if your access has changed.",
        path=argument,
    )
