"""graphql-ws, graphql-sse and gql follow a project while it deploys."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.transport.websockets import WebsocketsTransport

from tests.clients import node
from tests.clients.product import PROJECT, Expected, Product
from tests.clients.test_python import OPERATIONS

pytestmark = [pytest.mark.process, pytest.mark.alone, pytest.mark.usefixtures("packages")]

# What each is told when its token is not believed: a close code, or a status.
CLIENTS = {"graphql-ws": 4403, "graphql-sse": 401}

Told = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def told(gateway: Product) -> Told:
    @cache
    def run(client: str) -> dict[str, Any]:
        project = {"GATEWAY_LIVE_PROJECT": f"live-{client}"}
        return dict(node.run(f"{client}.mjs", gateway.variables | project))

    return run


@pytest.mark.parametrize("client", CLIENTS)
def test_change_arrives_within_a_second_after_the_first_message(told: Told, client: str) -> None:
    result = told(client)
    assert result["first"] == {"deployment": None}
    assert result["change"]["status"] == "IN_PROGRESS"
    assert result["change"]["project"]["slug"] == f"live-{client}"
    assert result["tookSeconds"] < 1.0


@pytest.mark.parametrize("client", CLIENTS)
def test_figures_are_told_at_once_and_when_they_change(told: Told, client: str) -> None:
    assert told(client)["attempts"] == [0, 1]


@pytest.mark.parametrize("client", CLIENTS)
def test_mutation_is_answered_once(told: Told, client: str) -> None:
    assert told(client)["named"] == [f"Named by {client}"]


@pytest.mark.parametrize(("client", "code"), CLIENTS.items())
def test_refusals_are_seen_with_their_codes(told: Told, client: str, code: int) -> None:
    assert told(client)["codes"] == ["NOT_FOUND"]
    assert told(client)["refused"] == code


def test_streams_are_not_compressed(told: Told) -> None:
    streams = [each for each in told("graphql-sse")["streams"] if each["status"] == 200]
    assert {each["type"].partition(";")[0] for each in streams} == {"text/event-stream"}
    assert {each["encoding"] for each in streams} == {None}


async def test_gql_is_told_the_figures(gateway: Product, expected: Expected) -> None:
    transport = WebsocketsTransport(
        f"{gateway.url.replace('http', 'ws')}/graphql",
        init_payload={"authorization": f"Bearer {gateway.token}"},
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
    )
    asked = GraphQLRequest(
        OPERATIONS, variable_values={"project": PROJECT}, operation_name="LiveFigures"
    )
    async with Client(transport=transport) as session:
        results = session.subscribe(asked)
        first = await anext(results)
        await results.aclose()
    figures = {"attempts": expected.deployments, "succeeded": expected.succeeded}
    assert first["deploymentStatsChanged"] == figures
