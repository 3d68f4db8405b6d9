"""Global ids: they come back as they went out, and nothing else is one."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.identifiers import Identifier, NodeKind, decode, encode
from storage.errors import InvalidInput


@given(st.sampled_from(NodeKind), st.integers(0, 10**14), st.uuids())
def test_an_id_decodes_to_its_key(kind: NodeKind, number: int, uuid: object) -> None:
    identifier = decode(encode(kind, number, uuid))
    assert identifier == Identifier(kind, (str(number), str(uuid)))
    assert identifier.number() == number
    assert identifier.number(1) is None
    assert identifier.number(2) is None


@given(st.text(max_size=300))
def test_other_text_is_refused_or_decodes_to_something(text: str) -> None:
    with suppress(InvalidInput):
        assert decode(text).kind in NodeKind


@pytest.mark.parametrize("number", ["-1", "1e3", "٣", "9" * 16, "", " 1"])
def test_what_is_no_database_id_is_none(number: str) -> None:
    assert decode(encode(NodeKind.PROJECT, number)).number() is None
