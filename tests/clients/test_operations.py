"""The operations that the clients send are valid, also where no client can be installed."""

from pathlib import Path

from graphql import parse, validate

from schema import schema
from schema.internals import core

OPERATIONS = Path(__file__).with_name("operations.graphql")


def test_operations_are_valid() -> None:
    assert validate(core(schema), parse(OPERATIONS.read_text(encoding="utf-8"))) == []
