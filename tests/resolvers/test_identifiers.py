"""Global ids: encoded ids decode to the same key; other texts are refused."""

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from resolvers.identifiers import PARTS, Identifier, NodeKind, decode, encode
from storage.errors import InvalidInput


@given(st.sampled_from(NodeKind), st.integers(0, 2**31 - 1), st.uuids())
def test_an_id_decodes_to_its_key(kind: NodeKind, number: int, uuid: object) -> None:
    parts = (number, uuid)[: PARTS[kind]]
    identifier = decode(encode(kind, *parts))
    assert identifier == Identifier(kind, tuple(map(str, parts)))
    assert identifier.number == number


@given(st.sampled_from(NodeKind), st.integers(0, 4))
def test_a_key_of_another_length_is_refused(kind: NodeKind, count: int) -> None:
    assume(count != PARTS[kind])
    with pytest.raises(InvalidInput):
        decode(encode(kind, *range(count)))


@given(st.text(max_size=300))
def test_other_text_is_refused_or_decodes_to_something(text: str) -> None:
    with suppress(InvalidInput):
        assert decode(text).kind in NodeKind


@pytest.mark.parametrize("number", ["-1", "1e3", "٣", "9" * 16, str(2**31), "", " 1"])
def test_what_is_no_database_id_is_none(number: str) -> None:
    assert decode(encode(NodeKind.PROJECT, number)).number is None
