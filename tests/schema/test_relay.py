"""The schema follows the rules of Relay: its Node interface and its connections."""

import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
)

from schema import schema
from schema.internals import core

SCHEMA = core(schema)
OBJECTS = {
    name: kind
    for name, kind in SCHEMA.type_map.items()
    if isinstance(kind, GraphQLObjectType) and not name.startswith("__")
}
CONNECTIONS = sorted(name for name in OBJECTS if name.endswith("Connection"))


# Every field that answers with a connection.
CONNECTED = {
    f"{name}.{field_name}": field
    for name, kind in OBJECTS.items()
    for field_name, field in kind.fields.items()
    if get_named_type(field.type).name.endswith("Connection")
}


def test_node_has_an_id_alone_and_is_found_by_it() -> None:
    node, query = SCHEMA.type_map["Node"], SCHEMA.query_type
    assert isinstance(node, GraphQLInterfaceType)
    assert query is not None
    assert {name: str(field.type) for name, field in node.fields.items()} == {"id": "ID!"}
    one, several = query.fields["node"], query.fields["nodes"]
    assert (str(one.type), str(one.args["id"].type)) == ("Node", "ID!")
    assert (str(several.type), str(several.args["ids"].type)) == ("[Node]", "[ID!]!")


@pytest.mark.parametrize("name", CONNECTIONS)
def test_connection_has_edges_with_cursors_and_page_information(name: str) -> None:
    fields = OBJECTS[name].fields
    assert str(fields["pageInfo"].type) == "PageInfo!"
    edges = get_nullable_type(fields["edges"].type)
    assert isinstance(edges, GraphQLList)
    edge = OBJECTS[get_named_type(edges).name]
    assert edge.name == f"{name.removesuffix('Connection')}Edge"
    assert str(edge.fields["cursor"].type) == "String!"
    assert not isinstance(get_nullable_type(edge.fields["node"].type), GraphQLList)


def test_page_information_is_complete() -> None:
    fields = {name: str(field.type) for name, field in OBJECTS["PageInfo"].fields.items()}
    assert fields == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


@pytest.mark.parametrize("place", CONNECTED)
def test_field_of_a_connection_pages_in_both_directions(place: str) -> None:
    field = CONNECTED[place]
    paging = {name: str(field.args[name].type) for name in ("first", "after", "last", "before")}
    assert paging == {"first": "Int", "after": "String", "last": "Int", "before": "String"}
    assert str(field.type).rstrip("!").endswith("Connection")
