"""Paging: whatever the sizes of the pages, forward and backward give the same list."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.viewers import Viewer
from resolvers import pages
from storage.errors import InvalidInput
from tests.schema.platform import ADA, ADMIN, NOBODY, RIVAL, Platform

PAGE = """query($o: DeploymentOrder, $f: DeploymentFilter, $s: [DeploymentStatus!], $first: Int,
    $after: String, $last: Int, $before: String) {
  deployments(orderBy: $o, filter: $f, statuses: $s, first: $first, after: $after, last: $last,
      before: $before) {
    edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""

Order = dict[str, str]


async def page(platform: Platform, viewer: Viewer, **variables: Any) -> dict[str, Any]:
    data = await platform.ask(PAGE, viewer, **variables)
    found: dict[str, Any] = data["deployments"]
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in found["edges"]]


orders = st.fixed_dictionaries(
    {
        "field": st.sampled_from(["CREATED_AT", "FINISHED_AT"]),
        "direction": st.sampled_from(["ASC", "DESC"]),
    }
)
filters = st.sampled_from(
    [{}, {"f": {"projects": ["shop"]}}, {"f": {"networks": ["metis"]}}, {"s": ["SUCCEEDED"]}]
)


@given(
    viewer=st.sampled_from([ADA, ADMIN]),
    order=orders,
    filter=filters,
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=20),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
async def test_pages_of_any_size_make_up_the_whole_list(
    platform: Platform, viewer: Viewer, order: Order, filter: dict[str, Any], sizes: list[int]
) -> None:
    same: dict[str, Any] = {"o": order, **filter}
    whole = await page(platform, viewer, **same, first=100)
    assert len(set(ids(whole))) == len(ids(whole)) > 0

    forward: list[str] = []
    cursor: str | None = None
    for size in [*sizes, *[3] * 20]:
        found = await page(platform, viewer, **same, first=size, after=cursor)
        assert found["pageInfo"]["hasPreviousPage"] is (cursor is not None)
        forward += ids(found)
        cursor = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert forward == ids(whole)

    backward: list[str] = []
    cursor = None
    for size in [*sizes, *[3] * 20]:
        found = await page(platform, viewer, **same, last=size, before=cursor)
        assert found["pageInfo"]["hasNextPage"] is (cursor is not None)
        backward = ids(found) + backward
        cursor = found["pageInfo"]["startCursor"]
        if not found["pageInfo"]["hasPreviousPage"]:
            break
    assert backward == ids(whole)


@given(start=st.integers(0, 14), length=st.integers(2, 16), size=st.integers(1, 20))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
async def test_after_and_before_together_cut_a_piece_out(
    platform: Platform, start: int, length: int, size: int
) -> None:
    whole = await page(platform, ADMIN, first=100)
    end = min(start + length, len(whole["edges"]) - 1)
    cut = {"after": whole["edges"][start]["cursor"], "before": whole["edges"][end]["cursor"]}
    inside = ids(whole)[start + 1 : end]
    assert ids(await page(platform, ADMIN, first=size, **cut)) == inside[:size]
    assert ids(await page(platform, ADMIN, last=size, **cut)) == inside[-size:]


async def test_other_tenants_cursor_is_refused(platform: Platform) -> None:
    cursor = (await page(platform, RIVAL, first=1))["pageInfo"]["endCursor"]
    for viewer in (ADA, ADMIN, NOBODY):
        error = await platform.refused(PAGE, viewer, first=1, after=cursor)
        assert isinstance(error, InvalidInput)
        assert error.path == "after"


@pytest.mark.parametrize(
    "bad", ["", "x", "Zm9v", "ö", "=" * 10, "A" * 60, "A" * 10_000, "\x00", "null"]
)
async def test_bad_cursor_gives_a_clean_error(platform: Platform, bad: str) -> None:
    assert isinstance(await platform.refused(PAGE, first=1, after=bad), InvalidInput)


async def test_changed_cursor_is_refused(platform: Platform) -> None:
    cursor = (await page(platform, ADA, first=1))["pageInfo"]["endCursor"]
    changed = cursor[:-3] + ("A" if cursor[-3] != "A" else "B") + cursor[-2:]
    assert isinstance(await platform.refused(PAGE, first=1, after=changed), InvalidInput)


async def test_cursor_of_another_order_is_refused(platform: Platform) -> None:
    cursor = (await page(platform, ADA, first=1))["pageInfo"]["endCursor"]
    order = {"direction": "ASC"}
    assert isinstance(await platform.refused(PAGE, o=order, first=1, after=cursor), InvalidInput)


@pytest.mark.parametrize("field", ["templates", "projects"])
async def test_lists_by_slug_page_both_ways(platform: Platform, field: str) -> None:
    document = """query($a: String, $b: String, $first: Int, $last: Int) {
      FIELD(first: $first, after: $a, last: $last, before: $b) {
        nodes { slug } totalCount isEstimate pageInfo { hasNextPage endCursor startCursor }
    } }""".replace("FIELD", field)
    whole = (await platform.ask(document, ADMIN, first=100))[field]
    slugs = [node["slug"] for node in whole["nodes"]]
    assert slugs == sorted(slugs)
    assert whole["totalCount"] == len(slugs) >= 3
    first = (await platform.ask(document, ADMIN, first=2))[field]
    rest = (await platform.ask(document, ADMIN, first=99, a=first["pageInfo"]["endCursor"]))[field]
    assert [node["slug"] for node in first["nodes"] + rest["nodes"]] == slugs
    assert first["pageInfo"]["hasNextPage"]
    last = (await platform.ask(document, ADMIN, last=1))[field]
    before = {"last": 99, "b": last["pageInfo"]["startCursor"]}
    others = (await platform.ask(document, ADMIN, **before))[field]
    assert [node["slug"] for node in others["nodes"] + last["nodes"]] == slugs


async def test_count_stops_at_its_bound(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MAX_COUNTED", 5)
    data = await platform.ask("{ deployments { totalCount isEstimate } }")
    assert data == {"deployments": {"totalCount": 5, "isEstimate": True}}
