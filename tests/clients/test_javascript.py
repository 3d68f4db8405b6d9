"""Apollo Client, urql, graphql-request and graphql-codegen, as programs use them."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from gateway.http.negotiation import GRAPHQL
from tests.clients import node
from tests.clients.product import PROJECT, ROOT, Expected, Product

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("packages")]

CLIENTS = ("apollo", "urql", "graphql-request")
# These send the hash of a document first, and its text when the gateway does not know it.
HASHING = ("apollo", "urql")

Told = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def told(gateway: Product) -> Told:
    """What each client told of one round through all it was asked to do."""

    @cache
    def run(client: str) -> dict[str, Any]:
        return dict(node.run(f"{client}.mjs", gateway.variables))

    return run


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, told: Told) -> dict[str, Any]:
    return told(request.param)


def test_pages_by_cursors_are_the_whole_list_once(
    client: dict[str, Any], expected: Expected
) -> None:
    assert len(set(client["ids"])) == len(client["ids"]) == client["total"] == expected.deployments
    assert client["pages"] == math.ceil(expected.deployments / 100) > 2


def test_fragment_and_node_by_id_are_the_same_thing(
    client: dict[str, Any], expected: Expected
) -> None:
    again = client["again"]
    assert (again["__typename"], again["id"]) == ("Deployment", client["ids"][0])
    assert again["project"]["slug"] == PROJECT
    assert again["externalId"] == expected.newest
    assert {event["type"] for event in again["statusEvents"]} == expected.newest_events
    assert again == client["first"]


def test_figures_are_those_of_the_project(client: dict[str, Any], expected: Expected) -> None:
    figures, attempts = client["figures"], expected.deployments
    assert (figures["attempts"], figures["succeeded"]) == (attempts, expected.succeeded)
    assert figures["successRate"] == pytest.approx(expected.succeeded / attempts)
    assert figures["byNetwork"][0]["attempts"] == attempts


def test_mutation_answers_with_the_thing_or_with_what_to_mend(client: dict[str, Any]) -> None:
    assert client["named"]["project"]["name"].startswith("Named by ")
    assert client["named"]["userErrors"] == []
    assert [error["field"] for error in client["userErrors"]] == [["input", "slug"]]


def test_error_is_seen_with_its_code(client: dict[str, Any]) -> None:
    assert client["errorIsGraphQL"] is True
    assert client["codes"] == ["NOT_FOUND"]


def test_each_answer_is_of_the_newer_media_type(client: dict[str, Any]) -> None:
    # A hash that is not known yet could not be begun, which this media type calls a bad request.
    assert {request["status"] for request in client["requests"] if request["hasText"]} == {200}
    assert {request["type"].partition(";")[0] for request in client["requests"]} == {GRAPHQL}


@pytest.mark.parametrize("name", HASHING)
def test_document_is_taught_once_and_asked_by_hash(told: Told, name: str) -> None:
    first, taught, *later = told(name)["listed"]
    assert (first["method"], first["hasHash"], first["hasText"]) == ("GET", True, False)
    assert first["status"] == 400
    assert (taught["status"], taught["hasHash"], taught["hasText"]) == (200, True, True)
    assert [each["status"] for each in later] == [200, 200]
    assert all(each["hasHash"] and not each["hasText"] for each in later)
    assert all(each["encoding"] == "gzip" for each in later)


def test_urql_answers_a_repeated_query_by_itself(told: Told) -> None:
    assert told("urql")["askedTwice"] == 0


def test_generated_types_are_free_of_warnings_and_hold() -> None:
    told = node.run("codegen.mjs", {"GATEWAY_SCHEMA": str(ROOT / "schema.graphql")})
    assert told["operations"] == [
        "DeploymentsQuery",
        "FiguresQuery",
        "AgainQuery",
        "NameProjectMutation",
        "ChangesSubscription",
        "LiveFiguresSubscription",
    ]
    assert told["warnings"] == []
    assert told["problems"] == []
    assert len(told["problemsOfWrongUse"]) == 1  # the compiler did look
    assert told["types"] > 10_000
