"""Global ids: encoded ids decode to the same key; other texts are refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolvers.identifiers import Identifier, decode, encode
from resolvers.nodes import IN_PROJECT, PROVISIONED
from storage.errors import InvalidInput

kinds = st.sampled_from(sorted({*IN_PROJECT, *PROVISIONED}))


@given(kinds, st.integers(0, 2**31 - 1), st.uuids())
def test_an_id_decodes_to_its_key(kind: str, number: int, uuid: object) -> None:
    assert decode(encode(kind, number)) == Identifier(kind, number, "")
    assert decode(encode(kind, number, uuid)) == Identifier(kind, number, str(uuid))


@given(kinds, st.sampled_from([(), (1, 2, 3), ("",), (1, "")]))
def test_a_key_of_another_length_is_refused(kind: str, parts: tuple[object, ...]) -> None:
    with pytest.raises(InvalidInput):
        decode(encode(kind, *parts))


@given(st.text(max_size=300))
def test_other_text_is_refused_or_decodes_to_something(text: str) -> None:
    with suppress(InvalidInput):
        decode(text)


@pytest.mark.parametrize("number", ["-1", "1e3", "٣", "", " 1"])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(InvalidInput):
        decode(encode("Project", number))


@pytest.mark.parametrize("number", ["9" * 16, str(2**31)])
def test_what_is_no_database_id_is_none(number: str) -> None:
    assert decode(encode("Project", number)).number is None
