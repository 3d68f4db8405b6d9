"""Prepared documents are kept, by their text, within bounds."""

import pytest

from gateway.graphql import documents as module
from gateway.graphql.documents import BadDocument, Documents
from schema import schema as our_schema
from tests.gateway.graphql.edge import SCHEMA


def test_second_identical_text_skips_parser_and_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups: list[bool] = []
    documents = Documents(SCHEMA._schema, on_lookup=lookups.append)
    first = documents.get("{hello}")

    def never(*_arguments: object, **_options: object) -> None:
        raise AssertionError("prepared twice")

    monkeypatch.setattr(module, "parse", never)
    monkeypatch.setattr(module, "validate", never)
    assert documents.get("{hello}") is first
    assert lookups == [False, True]


def test_bad_document_is_not_kept() -> None:
    lookups: list[bool] = []
    documents = Documents(SCHEMA._schema, on_lookup=lookups.append)
    for _ in range(2):
        with pytest.raises(BadDocument):
            documents.get("{nothing}")
    assert lookups == [False, False]


def test_cache_forgets_the_least_recently_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHED_DOCUMENTS", 2)
    lookups: list[bool] = []
    documents = Documents(SCHEMA._schema, on_lookup=lookups.append)
    for text in ("{a:hello}", "{b:hello}", "{a:hello}", "{c:hello}", "{a:hello}", "{b:hello}"):
        documents.get(text)
    assert lookups == [False, False, True, False, True, False]


def test_cache_is_bounded_by_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHED_CHARACTERS", 400)
    documents = Documents(SCHEMA._schema)
    for index in range(50):
        documents.get(f"{{a{index}:hello}}" + " " * 60)
    assert documents._characters <= 400
    assert len(documents._cache) < 10


def test_errors_of_a_document_are_capped() -> None:
    with pytest.raises(BadDocument) as caught:
        Documents(SCHEMA._schema).get("{" + " ".join(f"x{i}" for i in range(400)) + "}")
    assert len(caught.value.errors) <= 11


def test_suggestions_can_be_hidden() -> None:
    with pytest.raises(BadDocument) as hidden:
        Documents(SCHEMA._schema, hide_suggestions=True).get("{helo}")
    with pytest.raises(BadDocument) as shown:
        Documents(SCHEMA._schema, hide_suggestions=False).get("{helo}")
    assert "Did you mean" not in str(hidden.value)
    assert "Did you mean" in str(shown.value)


def test_a_range_of_nothing_is_refused_in_terms_of_graphql() -> None:
    with pytest.raises(BadDocument) as caught:
        Documents(our_schema._schema).get("{deploymentStats(range: {last: null}) {attempts}}")
    assert [error.message for error in caught.value.errors] == [
        "Field 'TimeRange.last' must be non-null."
    ]
