"""The estimated cost of a query is never less than the objects that its lists then hold."""

from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLArgument, GraphQLSchema, is_required_argument
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.graphql.documents.documents import Documents
from schema import schema
from schema.declarations import STATEMENT
from schema.internals import core
from tests.gateway.graphql.generated import Requests
from tests.schema.platform import ADMIN, Platform

DOCUMENTS = Documents(core(schema))
SIZES = {
    "first": st.integers(0, 100) | st.none(),
    "last": st.integers(1, 100) | st.none(),
    "range": st.sampled_from(
        (None, {"last": "P2D"}, {"last": "PT5H"}, {"last": "P1Y"}, {"calendar": {"unit": "WEEK"}})
    ),
    "interval": st.sampled_from(("MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "AUTO")),
    "measures": st.lists(
        st.sampled_from(("DEPLOYMENT_ATTEMPTS", "DEPLOYMENT_FAILED", "DEPLOYMENT_SUCCESS_RATE")),
        min_size=1,
    ),
    "groupBy": st.lists(st.sampled_from(("PROJECT", "TEMPLATE", "NETWORK")), unique=True),
    "slug": st.sampled_from(("shop", "template-01")),
    "name": st.just("metis"),
}


class Sized(Requests):
    """Requests that are answered: only what decides about sizes is given, and sensibly."""

    def _argument(self, name: str, argument: GraphQLArgument) -> str:
        if name not in SIZES:
            return super()._argument(name, argument) if is_required_argument(argument) else ""
        given = self._draw(SIZES[name])
        if not is_required_argument(argument) and (given is None or self._draw(st.booleans())):
            return ""
        variable = f"v{len(self._declared)}"
        self._declared.append(f"${variable}:{argument.type}")
        self._values[variable] = given
        return f"{name}:${variable}"


@st.composite
def sized(draw: Callable[[st.SearchStrategy[Any]], Any], schema: GraphQLSchema) -> dict[str, Any]:
    assert schema.query_type is not None
    return Sized(schema, draw).request(schema.query_type, "query")


def listed(value: Any, *, inside: bool = False) -> int:
    """The objects in the lists of an answer."""
    if isinstance(value, dict):
        return inside + sum(listed(each) for each in value.values())
    if isinstance(value, list):
        return sum(listed(each, inside=True) for each in value)
    return 0


async def test_estimate_is_never_less_than_the_objects_listed(platform: Platform) -> None:
    bodies: list[dict[str, Any]] = []

    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(sized(core(schema)))
    def collect(body: dict[str, Any]) -> None:
        bodies.append(body)

    collect()
    held = 0
    for body in bodies:
        cost = DOCUMENTS.get(body["query"]).operations[""].measured.cost(body["variables"])
        result = await platform.execute(body["query"], ADMIN, **body["variables"])
        found = listed(result.data)
        assert found <= cost.points, (body, cost, found)
        held += found
    assert held > len(bodies), "the answers held hardly anything"


RANGES: list[dict[str, Any]] = [
    *({"last": text} for text in ("PT1M", "PT5H", "P1D", "P2D", "P9D", "P40D", "P41D")),
    *({"last": text} for text in ("P6M", "P9M", "P280D", "P281D", "P1Y", "P2Y")),
    *({"calendar": {"unit": unit}} for unit in ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")),
    {"between": {"start": "2026-01-31T23:59:59Z", "end": "2026-03-01T00:00:01Z"}},
    {"between": {"start": "2026-10-24T12:30:00Z", "end": "2026-10-26T12:30:00Z"}},
]
SERIES = """query S($r: TimeRange, $i: Interval!, $z: TimeZone!) {
  deploymentStats(range: $r, timeZone: $z) { series(interval: $i) { start } } }"""


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
async def test_no_series_has_more_points_than_estimated(platform: Platform, zone: str) -> None:
    answered = 0
    for span in RANGES:
        for interval in ("MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "AUTO"):
            variables = {"r": span, "i": interval, "z": zone}
            result = await platform.execute(SERIES, ADMIN, **variables)
            if result.errors:
                continue  # too many points, which is a limit of its own
            cost = DOCUMENTS.get(SERIES).operations["S"].measured.cost(variables)
            held = listed(result.data)
            assert 0 < held <= cost.points - STATEMENT, (span, interval)
            answered += 1
    assert answered > 3 * len(RANGES)
