"""Compiled completion answers as graphql-core does, over documents made up for two schemas."""

import pytest
from graphql import GraphQLSchema

from tests.gateway.graphql.differential import poisoned_schema, real_schema, run

DOCUMENTS = 120


@pytest.mark.parametrize("schema", [real_schema(), poisoned_schema()], ids=["real", "poisoned"])
def test_no_document_is_answered_differently(schema: GraphQLSchema) -> None:
    tally = run(schema, DOCUMENTS)
    assert tally.documents > DOCUMENTS // 2
    assert tally.compiled > tally.documents
    assert tally.with_errors > tally.documents // 10
