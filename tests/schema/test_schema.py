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
from strawberry.utils.str_converters import to_camel_case

from analytics.measures import MEASURES, Measure
from schema import schema
from schema.internals import core
from schema.names import constant_name, stats_name
from storage.dimensions import DIMENSIONS, LABEL_SET, PROJECT
from storage.facts import FACTS
from storage.facts.fact import Entity, Fact

ROOT = Path(__file__).parents[2]
IMPLEMENTATIONS = ("Stats", "Point", "Group", "Totals")
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


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda each: ":".join(each.key))
def test_each_measure_is_in_the_enum_and_headlines_in_all_figures(measure: Measure) -> None:
    types, fact = core(schema).type_map, FACTS[measure.fact]
    values = types["Measure"].values  # type: ignore[attr-defined]
    assert f"{constant_name(fact)}_{measure.name.upper()}" in values
    field = to_camel_case(measure.name)
    kinds = ["Group"] if measure.name == "share" else ["Figures", *IMPLEMENTATIONS]
    for kind in kinds:
        found = types[f"{fact.stem}{kind}"].fields.get(field)  # type: ignore[attr-defined]
        assert (found is not None) is measure.headline


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda each: each.name)
def test_each_fact_has_its_types_and_fields(fact: Fact) -> None:
    types = own_types()
    for kind in IMPLEMENTATIONS:
        interfaces = types[f"{fact.stem}{kind}"].interfaces  # type: ignore[attr-defined]
        assert [each.name for each in interfaces] == [f"{fact.stem}Figures"]
    dimensions = (PROJECT, *fact.dimensions)
    filter = types[f"{fact.stem}Filter"].fields  # type: ignore[attr-defined]
    of_labels = {"labels"} if LABEL_SET in dimensions else set()
    assert filter.keys() == {to_camel_case(each.plural) for each in dimensions} | of_labels
    stats = types[f"{fact.stem}Stats"].fields  # type: ignore[attr-defined]
    assert {to_camel_case(f"by_{each}") for each in dimensions} <= stats.keys()
    assert ("distribution" in stats) is (fact.timing is not None)
    assert ("byStatus" in stats) is isinstance(fact, Entity)
    assert stats_name(fact) in types["Query"].fields  # type: ignore[attr-defined]
    assert f"{stats_name(fact)}Changed" in types["Subscription"].fields  # type: ignore[attr-defined]


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda each: each.name)
def test_objects_have_statistics_of_the_facts_of_their_dimensions(fact: Fact) -> None:
    types = own_types()
    assert stats_name(fact) in types["Project"].fields  # type: ignore[attr-defined]
    for dimension in DIMENSIONS.values():
        node = types.get(dimension.name.capitalize())
        if node is not None and dimension is not PROJECT:
            has_field = stats_name(fact) in node.fields  # type: ignore[attr-defined]
            assert has_field is (dimension in fact.dimensions), dimension


def test_panels_and_root_fields_of_figures_may_fail_alone() -> None:
    types = own_types()
    for fact in FACTS.values():
        stats = types[f"{fact.stem}Stats"].fields  # type: ignore[attr-defined]
        panels = [name for name in stats if name.startswith("by")] + ["series", "previous"]
        assert not [name for name in panels if is_non_null_type(stats[name].type)]
        root = types["Query"].fields[stats_name(fact)]  # type: ignore[attr-defined]
        assert not is_non_null_type(root.type)


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
