"""What is given to fields is counted for each use, before any of it is read."""

from pathlib import Path
from typing import Any

import pytest

from access.viewers import Role
from gateway.graphql.documents.documents import Documents
from gateway.graphql.documents.inputs import MAX_INPUT_VALUES, MAX_LIST_ITEMS, OBJECT_WEIGHT
from resolvers.recording import MAX_EVENTS
from schema import schema
from schema.internals import core
from storage.errors import LimitExceeded
from tests.gateway.application import as_role, running, settings_for

DOCUMENTS = Documents(core(schema))
EVENTS = "mutation ($v: [EventInput!]!) {"
RECORD = "recordEvents(input: {events: $v}) { userErrors { code } }"


def broken(query: str, **variables: Any) -> str | None:
    """The limit that is broken by what the operation gives its fields."""
    try:
        DOCUMENTS.get(query).operations[""].inputs.check(variables)
    except LimitExceeded as error:
        return error.limit
    return None


def uses(times: int) -> str:
    return f"{EVENTS} {' '.join(f'a{n}: {RECORD}' for n in range(times))} }}"


def test_variable_counts_again_for_each_use() -> None:
    events: list[Any] = [{}] * 500
    each = len(events) * OBJECT_WEIGHT + OBJECT_WEIGHT + 1
    allowed = MAX_INPUT_VALUES // each
    assert broken(uses(allowed), v=events) is None
    assert broken(uses(allowed + 1), v=events) == "input_values"


def test_variable_counts_again_for_each_spread_of_a_fragment() -> None:
    fragments = "".join(
        f"fragment F{n} on Mutation {{ ...F{n + 1} ... {{ ...F{n + 1} }} }} " for n in range(5)
    )
    query = f"{EVENTS} ...F0 }} {fragments} fragment F5 on Mutation {{ ...G }}"
    query += f" fragment G on Mutation {{ {RECORD} }}"
    assert broken(query, v=[{}] * 60) is None
    assert broken(query, v=[{}] * 70) == "input_values"


@pytest.mark.parametrize("items", [MAX_LIST_ITEMS, MAX_LIST_ITEMS + 1])
def test_lists_have_a_length_wherever_they_are_written(items: int) -> None:
    expected = "list_items" if items > MAX_LIST_ITEMS else None
    ids = " ".join(['"a"'] * items)
    variable = "query ($v: [ID!]! = []) { nodes(ids: $v) { id } }"
    assert broken(variable, v=["a"] * items) == expected
    assert broken(variable.replace("[])", f"[{ids}])")) == expected
    assert broken(f"{{ nodes(ids: [{ids}]) {{ id }} }}") == expected
    spread = f"{{ ...F }} fragment F on Query {{ nodes(ids: [{ids}]) {{ id }} }}"
    assert broken(spread) == expected
    nested = """mutation ($v: JSON) { recordDeployment(input: {type: QUEUED, deployment: "d",
      attributes: $v}) { result { status } } }"""
    assert broken(nested, v={"a": [["a"] * items]}) == expected


def test_defaults_count_where_nothing_is_given() -> None:
    events = " ".join(['{deployment: {type: QUEUED, deployment: "d"}}'] * 100)
    query = uses(20).replace("[EventInput!]!", f"[EventInput!]! = [{events}]")
    assert broken(query) == "input_values"
    assert broken(query, v=[]) is None


def test_a_mutation_of_as_many_events_as_are_taken_is_within_the_limits() -> None:
    event = dict.fromkeys(("type", "deployment", "project", "time", "network", "template"), "x")
    assert broken(uses(1), v=[{"deployment": event}] * MAX_EVENTS) is None


async def test_too_much_input_is_refused_by_the_name_of_the_limit(
    database_url: str, redis_url: str
) -> None:
    headers = as_role(Role.VIEWER)
    async with running(settings_for(database_url, redis_url), None, **headers) as client:
        body = {"query": uses(59), "variables": {"v": [{}] * 900}}
        response = await client.post("/graphql", json=body)
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert error["extensions"]["limit"] == "input_values"
        assert "data" not in response.json()


def test_documentation_states_the_limits_of_input() -> None:
    page = (Path(__file__).parents[4] / "docs" / "limits.md").read_text(encoding="utf-8")
    assert f"at most {MAX_INPUT_VALUES:,} values together (`input_values`)" in page
    assert f"an object counts as {OBJECT_WEIGHT}" in page
    assert f"at most {MAX_LIST_ITEMS:,} items in one list (`list_items`)" in page
