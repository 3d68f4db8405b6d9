"""Python's gql, over its HTTP transport, which checks operations against the schema it fetches."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from gql import Client, GraphQLRequest, gql
from gql.client import AsyncClientSession
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from graphql import GraphQLError

from tests.clients.node import FOLDER
from tests.clients.product import PROJECT, Expected, Product

pytestmark = pytest.mark.process

OPERATIONS = gql((FOLDER / "operations.graphql").read_text()).document


@pytest.fixture
async def session(gateway: Product) -> AsyncIterator[AsyncClientSession]:
    transport = HTTPXAsyncTransport(
        f"{gateway.url}/graphql", headers={"authorization": f"Bearer {gateway.token}"}
    )
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        yield session


async def ask(session: AsyncClientSession, operation: str, /, **variables: Any) -> dict[str, Any]:
    request = GraphQLRequest(OPERATIONS, variable_values=variables, operation_name=operation)
    return dict(await session.execute(request))


async def test_list_is_paged_and_its_nodes_found_again(
    session: AsyncClientSession, expected: Expected
) -> None:
    ids: list[str] = []
    after, more = None, True
    while more:
        data = await ask(session, "Deployments", project=PROJECT, first=100, after=after)
        page = data["deployments"]
        ids += [edge["node"]["id"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert len(set(ids)) == len(ids) == expected.deployments
    again = (await ask(session, "Again", id=ids[0]))["node"]
    assert (again["__typename"], again["id"]) == ("Deployment", ids[0])


async def test_figures_and_mutation_are_answered(
    session: AsyncClientSession, expected: Expected
) -> None:
    figures = (await ask(session, "Figures", project=PROJECT))["deploymentStats"]
    assert (figures["attempts"], figures["succeeded"]) == (
        expected.deployments,
        expected.succeeded,
    )
    named = await ask(session, "NameProject", slug=PROJECT, name="Named by gql")
    assert named["upsertProject"]["project"]["name"] == "Named by gql"
    refused = await ask(session, "NameProject", slug="x" * 201, name="No")
    assert [error["field"] for error in refused["upsertProject"]["userErrors"]] == [
        ["input", "slug"]
    ]


async def test_error_is_raised_with_its_code(session: AsyncClientSession) -> None:
    with pytest.raises(TransportQueryError) as raised:
        await ask(session, "Figures", project="nobody-has-this")
    assert raised.value.errors is not None
    assert [error["extensions"]["code"] for error in raised.value.errors] == ["NOT_FOUND"]


async def test_client_validates_with_the_schema_it_fetched(session: AsyncClientSession) -> None:
    with pytest.raises(GraphQLError, match="nowhere"):
        await session.execute(gql("{ nowhere }"))
