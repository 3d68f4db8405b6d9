"""Look-ahead: read once for a document, and anew where variables have a say."""

from collections.abc import Awaitable
from typing import Any

import pytest
from graphql import DocumentNode, ExecutionResult, execute, parse

from resolvers.context import Context
from schema import schema
from schema.internals import core
from schema.selection import KEPT_SELECTIONS, Selection
from tests.schema.platform import ADA, Platform


async def run(platform: Platform, document: DocumentNode, **variables: Any) -> Any:
    """The data of a parsed document, as one that is kept is executed again and again."""
    context = await Context.create(platform.services, ADA, "request-1")
    found = execute(
        core(schema),
        document,
        context_value=context,
        variable_values=variables,
        executor_class=schema.execution_context_class,
    )
    result = await found if isinstance(found, Awaitable) else found
    context.release()
    assert isinstance(result, ExecutionResult)
    assert result.errors is None, result.errors
    return result.data


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Selection]:
    """The selections that are read."""
    made: list[Selection] = []
    original = Selection.__init__

    def noted(self: Selection, info: Any) -> None:
        made.append(self)
        original(self, info)

    monkeypatch.setattr(Selection, "__init__", noted)
    return made


async def test_what_no_variable_changes_is_read_once(
    platform: Platform, read: list[Selection]
) -> None:
    document = parse(
        """query($first: Int) { deployments(first: $first) { nodes { ...Row } totalCount } }
        fragment Row on Deployment { statusEvents(first: 2) { id } project @skip(if: false) { id } }
        """
    )
    first = await run(platform, document, first=3)
    seen = len(read)
    assert seen > 0
    assert await run(platform, document, first=3) == first
    assert len((await run(platform, document, first=4))["deployments"]["nodes"]) == 4
    assert len(read) == seen


async def test_what_variables_change_is_read_anew(platform: Platform) -> None:
    document = parse(
        """query($with: Boolean!, $events: Int) { deployments { nodes {
            project @include(if: $with) { slug } statusEvents(first: $events) { id } } } }"""
    )
    for given, events in ((False, 1), (True, 2), (False, 2), (True, 1)):
        data = await run(platform, document, **{"with": given}, events=events)
        for node in data["deployments"]["nodes"]:
            assert ("project" in node) is given
            assert len(node["statusEvents"]) == events


async def test_a_bounded_number_is_kept(platform: Platform) -> None:
    kept = platform.services.selections
    kept.clear()
    kept.update(dict.fromkeys(range(KEPT_SELECTIONS), (None, ())))
    document = parse("{ deployments { nodes { id } } }")
    await run(platform, document)
    assert len(kept) == KEPT_SELECTIONS
    assert 0 not in kept
    assert KEPT_SELECTIONS - 1 in kept
