"""Cursors: valid for their own list, order and scope only."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.scopes import Scope
from resolvers.cursors import CursorSigner
from storage.errors import InvalidInput

SIGNER = CursorSigner.of(b"key", Scope.of([2, 3]), "deployments:created_at:desc")
VALUES = st.lists(st.integers(-(2**60), 2**60) | st.text(max_size=20), max_size=4)


@given(VALUES)
def test_values_come_back(values: list[Any]) -> None:
    assert SIGNER.read(SIGNER.write(values), "after") == values


@pytest.mark.parametrize(
    "other",
    [
        CursorSigner.of(b"other key", Scope.of([2, 3]), "deployments:created_at:desc"),
        CursorSigner.of(b"key", Scope.of([2]), "deployments:created_at:desc"),
        CursorSigner.of(b"key", Scope.everything(), "deployments:created_at:desc"),
        CursorSigner.of(b"key", Scope.of([2, 3]), "deployments:created_at:asc"),
        CursorSigner.of(b"key", Scope.of([2, 3]), "projects:slug"),
    ],
)
def test_another_key_scope_or_order_is_refused(other: CursorSigner) -> None:
    with pytest.raises(InvalidInput):
        other.read(SIGNER.write([1]), "after")


@given(st.text(max_size=800))
def test_made_up_cursors_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        SIGNER.read(text, "after")


@given(st.integers(0, 10_000))
def test_a_changed_byte_is_noticed(position: int) -> None:
    cursor = bytearray(SIGNER.write([1, 2, "x"]).encode())
    index = position % (len(cursor) - 1)
    cursor[index] = 65 if cursor[index] != 65 else 66
    with pytest.raises(InvalidInput):
        SIGNER.read(cursor.decode(), "after")
