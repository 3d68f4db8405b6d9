"""Documents are prepared once and cached within bounds."""

import asyncio
import inspect
from pathlib import Path

import pytest

from gateway.graphql.documents import documents as module
from gateway.graphql.documents.documents import RULES, BadDocument, Documents
from gateway.graphql.execution.compiled import compiled_executor
from gateway.graphql.execution.executor import Executor
from gateway.graphql.requests import GraphQLRequest
from schema import schema as our_schema
from schema.internals import core
from tests.gateway.graphql.edge import SCHEMA


def test_second_identical_text_skips_parser_and_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups: list[bool] = []
    documents = Documents(core(SCHEMA), on_lookup=lookups.append)
    first = documents.get("{hello}")

    def never(*_arguments: object, **_options: object) -> None:
        raise AssertionError("prepared twice")

    monkeypatch.setattr(module, "parse", never)
    monkeypatch.setattr(module, "validate", never)
    assert documents.get("{hello}") is first
    assert lookups == [False, True]


def test_bad_document_is_not_cached() -> None:
    lookups: list[bool] = []
    documents = Documents(core(SCHEMA), on_lookup=lookups.append)
    for _ in range(2):
        with pytest.raises(BadDocument):
            documents.get("{nothing}")
    assert lookups == [False, False]


def test_cache_forgets_the_least_recently_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHED_DOCUMENTS", 2)
    lookups: list[bool] = []
    documents = Documents(core(SCHEMA), on_lookup=lookups.append)
    for text in ("{a:hello}", "{b:hello}", "{a:hello}", "{c:hello}", "{a:hello}", "{b:hello}"):
        documents.get(text)
    assert lookups == [False, False, True, False, True, False]


def test_cache_is_bounded_by_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHED_CHARACTERS", 400)
    documents = Documents(core(SCHEMA))
    for index in range(50):
        documents.get(f"{{a{index}:hello}}" + " " * 60)
    assert documents._characters <= 400
    assert len(documents._cache) < 10


def test_errors_of_a_document_are_capped() -> None:
    with pytest.raises(BadDocument) as caught:
        Documents(core(SCHEMA)).get("{" + " ".join(f"x{i}" for i in range(400)) + "}")
    assert len(caught.value.errors) <= 11


SUGGESTING = {
    "FieldsOnCorrectTypeRule": "{viewr {id}}",
    "FieldsOnCorrectTypeRule, of a type that implements it": "{node(id: 1) {name}}",
    "KnownArgumentNamesRule": "{projects(firs: 1) {nodes {id}}}",
    "KnownArgumentNamesRule, of a directive": "{viewer @skip(iff: true) {id}}",
    "KnownTypeNamesRule": "query ($a: Strin) {viewer {id}}",
    "ScalarLeafsRule": "{viewer}",
    "ScalarLeafsRule, once more": "{\n  viewer\n  projects\n}",
    "ValuesOfCorrectTypeRule": "{deploymentStats(range: {las: PT1H}) {attempts}}",
    "ValuesOfCorrectTypeRule, of an enum": "{deployments(orderBy: {field: CREATED}) {nodes {id}}}",
}


def suggests(rule: type[object]) -> bool:
    text = Path(inspect.getfile(rule)).read_text()
    return "did_you_mean" in text or "Did you mean" in text


def test_each_rule_that_suggests_is_tried() -> None:
    expected = {rule.__name__ for rule in RULES if suggests(rule)}
    # It suggests by way of `graphql.utilities.validate_input_literal`.
    expected.add("ValuesOfCorrectTypeRule")
    assert {name.partition(",")[0] for name in SUGGESTING} == expected


@pytest.mark.parametrize("text", SUGGESTING.values(), ids=SUGGESTING)
def test_suggestions_can_be_hidden(text: str) -> None:
    with pytest.raises(BadDocument) as hidden:
        Documents(core(our_schema), hide_suggestions=True).get(text)
    with pytest.raises(BadDocument) as shown:
        Documents(core(our_schema), hide_suggestions=False).get(text)
    assert any("Did you mean" in error.message for error in shown.value.errors)
    for error in hidden.value.errors:
        assert "mean" not in error.message
        assert error.message.endswith(".")


@pytest.mark.parametrize("order", [{"field": "CREATED"}, {"fields": "CREATED_AT"}])
@pytest.mark.parametrize("hidden", [True, False])
async def test_suggestions_for_variables_can_be_hidden(order: object, hidden: bool) -> None:
    text = "query ($order: DeploymentOrder) {deployments(orderBy: $order) {nodes {id}}}"
    document = Documents(core(our_schema)).get(text)
    executor = Executor(our_schema, hide_suggestions=hidden, executor_class=compiled_executor())
    parameters = GraphQLRequest(text, None, {"order": order}, None)
    result = await executor.run(document, parameters, asyncio.sleep(0))
    assert result.errors
    assert any("mean" in error.message for error in result.errors) is not hidden


def test_a_range_of_nothing_is_refused_in_terms_of_graphql() -> None:
    with pytest.raises(BadDocument) as caught:
        Documents(core(our_schema)).get("{deploymentStats(range: {last: null}) {attempts}}")
    assert [error.message for error in caught.value.errors] == [
        "Field 'TimeRange.last' must be non-null."
    ]
