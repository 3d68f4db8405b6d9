"""The schema itself: importable, described, printed, and in step with the catalogue."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    is_non_null_type,
    parse,
    validate,
)

from analytics.measures import MEASURES
from schema import schema
from schema.figures.measures import FIELDS
from schema.internals import core

ROOT = Path(__file__).parents[2]
BUILT_IN = {"Boolean", "Float", "ID", "Int", "String"}


def own_types() -> dict[str, object]:
    types = core(schema).type_map
    return {name: kind for name, kind in types.items() if not name.startswith("__")}


def test_everything_is_described() -> None:
    missing = []
    for name, kind in own_types().items():
        if not kind.description:  # type: ignore[attr-defined]
            missing.append(name)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in kind.fields.items():
                missing += [f"{name}.{field_name}"] if not field.description else []
                missing += [
                    f"{name}.{field_name}({argument_name}:)"
                    for argument_name, argument in field.args.items()
                    if not argument.description
                ]
        if isinstance(kind, GraphQLInputObjectType):
            missing += [f"{name}.{key}" for key, one in kind.fields.items() if not one.description]
        if isinstance(kind, GraphQLEnumType):
            missing += [f"{name}.{key}" for key, one in kind.values.items() if not one.description]
    assert missing == []


@pytest.mark.parametrize("name", ["Deployment", "Template", "Network", "Project", "Environment"])
def test_the_types_of_this_stage_are_nodes(name: str) -> None:
    """R55, as far as deployments go."""
    kind = own_types()[name]
    assert isinstance(kind, GraphQLObjectType)
    assert [interface.name for interface in kind.interfaces] == ["Node"]


def test_own_scalars_name_their_format() -> None:
    for name, kind in own_types().items():
        if isinstance(kind, GraphQLScalarType) and name not in BUILT_IN:
            assert kind.specified_by_url, name


def test_a_nullable_field_says_when_it_is_null() -> None:
    silent = [
        f"{name}.{field_name}"
        for name, kind in own_types().items()
        if isinstance(kind, GraphQLObjectType)
        for field_name, field in kind.fields.items()
        if not is_non_null_type(field.type) and "null" not in (field.description or "")
    ]
    assert silent == []


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_each_measure_is_in_enum_statistics_and_groups(name: str) -> None:
    types = core(schema).type_map
    field = next(key for key, value in FIELDS.items() if value == name)
    assert name.upper() in types["Measure"].values  # type: ignore[attr-defined]
    for kind in ("DeploymentStats", "DeploymentStatsGroup", "DeploymentTotals"):
        assert MEASURES[name].formula in types[kind].fields[field].description  # type: ignore[attr-defined]


def test_the_printed_schema_is_current() -> None:
    assert (ROOT / "schema.graphql").read_text() == schema.as_str() + "\n", "run `make schema`"


def documented() -> list[tuple[str, str]]:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return [
        (page.name, block)
        for page in sorted(pages)
        for block in re.findall(r"```graphql\n(.*?)```", page.read_text(), re.DOTALL)
    ]


def test_documented_queries_are_valid() -> None:
    assert documented()
    for page, block in documented():
        assert validate(core(schema), parse(block)) == [], page


def test_importing_the_schema_connects_to_nothing() -> None:
    program = (
        "import socket\n"
        "def refuse(*_): raise SystemExit('connected')\n"
        "socket.socket.connect = refuse\n"
        "import schema; schema.schema.as_str()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
