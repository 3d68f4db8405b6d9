"""Hostile arguments: nothing a client can write makes a resolver crash."""

import base64

import pytest

from storage.errors import GatewayError, InvalidInput, LimitExceeded
from tests.schema.platform import ADA, ADMIN, Platform

TEXTS = {
    "nul": "\0",
    "half a character": "\ud800",
    "long": "x" * 100_000,
    "empty": "",
    "turned around": "a\u202eb",
    "wildcard": "%_\\",
    "injected": "'; drop table projects; --",
    "digits": "9" * 40,
}
WITH_TEXT = [
    "($s: String!) { project(slug: $s) { name } }",
    "($s: String!) { network(name: $s) { name } }",
    "($s: String!) { template(slug: $s) { name } }",
    "($s: String!) { templates(search: $s) { nodes { name } totalCount } }",
    "($s: String!) { templates(category: $s) { nodes { name } } }",
    "($s: String!) { projects(search: $s) { nodes { name } } }",
    "($s: String!) { deploymentStats(filter: {networks: [$s]}) { attempts } }",
    "($s: String!) { deploymentStats(filter: {environments: [$s]}) { attempts } }",
    "($s: String!) { deploymentStats(filter: {projects: [$s]}) { attempts } }",
    "($s: String!) { deployments(filter: {network: {eq: $s}}) { totalCount } }",
    "($s: String!) { deployments(filter: {project: {in: [$s]}}) { totalCount } }",
    "($s: String!) { deployments(after: $s) { totalCount } }",
    "($s: ID!) { deployment(id: $s) { id } }",
    "($s: ID!) { node(id: $s) { id } }",
    "($s: TimeZone!) { deploymentStats(timeZone: $s) { attempts } }",
]


async def survives(platform: Platform, document: str, **variables: str) -> None:
    result = await platform.execute(document, ADMIN, **variables)
    for error in result.errors or ():
        # Without a path the arguments were refused before any resolver ran.
        assert isinstance(error.original_error, GatewayError) or error.path is None, error


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("document", WITH_TEXT)
async def test_any_text_is_answered_or_refused(
    platform: Platform, document: str, text: str
) -> None:
    await survives(platform, f"query{document}", s=TEXTS[text])


@pytest.mark.parametrize(
    "key",
    [
        "Environment:1:999999999999999",
        "Network:999999999999999",
        "Network:4294967296",
        "Project:99999999999",
        "Deployment:99999999999:123e4567-e89b-12d3-a456-426614174000",
        "Deployment:1:x",
    ],
)
async def test_an_id_of_nothing_is_null(platform: Platform, key: str) -> None:
    id = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    document = "query($s: ID!) { node(id: $s) { id } }"
    assert await platform.ask(document, ADMIN, s=id) == {"node": None}


@pytest.mark.parametrize(
    "key",
    [
        "Environment:1",
        "Environment:1:2:3",
        "User:1",
        "Project",
        "Template:-1",
        "Project:1:2",
    ],
)
async def test_an_id_of_another_shape_is_refused(platform: Platform, key: str) -> None:
    id = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    error = await platform.refused("query($s: ID!) { node(id: $s) { id } }", ADMIN, s=id)
    assert isinstance(error, InvalidInput)


@pytest.mark.parametrize(
    "arguments",
    [
        "filter: {}",
        "filter: {environments: []}",
        'filter: {environments: ["\\u0001", ""]}',
        "statuses: []",
        "statuses: [FAILED, FAILED]",
        'range: {between: {start: "1970-01-01T00:00:00Z", end: "1990-01-01T00:00:00Z"}}',
        'search: "", timeZone: "Asia/Kolkata"',
        'search: "%_\\\\", range: {last: "P93D"}',
    ],
)
async def test_any_filter_is_answered(platform: Platform, arguments: str) -> None:
    await platform.ask(f"{{ deployments({arguments}) {{ totalCount }} }}", ADA)


RANGES = [
    '{last: "P9999Y"}',
    '{last: "PT9999999H"}',
    '{last: "PT0.000001S"}',
    "{calendar: {unit: YEAR, offset: -2147483648}}",
    "{calendar: {unit: DAY, offset: 2147483647}}",
    '{calendar: {unit: YEAR, date: "9999-12-31"}}',
    '{calendar: {unit: WEEK, date: "0001-01-01"}}',
    '{between: {start: "0001-01-01T00:00:00Z", end: "9999-12-31T00:00:00Z"}}',
    '{between: {start: "1970-01-01T00:00:00Z", end: "1970-01-01T00:00:00.000001Z"}}',
    "{calendar: {unit: DAY}}",
]


@pytest.mark.parametrize("range", RANGES)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "Asia/Kathmandu"])
async def test_any_range_is_answered_or_refused(platform: Platform, range: str, zone: str) -> None:
    document = f"""{{ deploymentStats(range: {range}, timeZone: "{zone}") {{
        attempts series {{ attempts }} year: previous(compare: PREVIOUS_YEAR) {{ attempts }}
        previous {{ attempts }} durationMs(percentile: 5) }} }}"""
    await survives(platform, document)


MINUTES = """{ start end attempts succeeded failed queued frequencyPerDay activeProjects }"""
HEAVY = {
    "many series": 'deploymentStats(range: {last: "PT%dM"}) { series(interval: MINUTE) %s }',
    "series of groups": """deploymentStats(
        range: {last: "PT%dM"}) { byProject { series(interval: MINUTE) %s } }""",
    "series of a project": """project(slug: "shop") { deploymentStats(
        range: {last: "PT%dM"}) { series(interval: MINUTE) %s } }""",
}


@pytest.mark.parametrize("field", HEAVY)
async def test_more_figures_than_an_answer_holds_are_not_computed(
    platform: Platform, field: str
) -> None:
    fields = " ".join(f"a{n}: " + HEAVY[field] % (1440 - n % 7, MINUTES) for n in range(50))
    error = await platform.refused(f"{{ {fields} }}", ADMIN)
    assert isinstance(error, LimitExceeded)
    assert error.limit == "values"


async def test_tables_together_hold_no_more_than_an_answer(platform: Platform) -> None:
    table = """metrics(measures: [DEPLOYMENT_ATTEMPTS, DEPLOYMENT_FAILED,
        DEPLOYMENT_FINISHES, DEPLOYMENT_ACTIVE_PROJECTS], interval: MINUTE,
        groupBy: [PROJECT], range: {last: "PT1440M"}) { groupCount }"""
    await platform.ask(f"{{ {table} }}", ADMIN)
    fields = " ".join(f"a{number}: {table}" for number in range(60))
    assert isinstance(await platform.refused(f"{{ {fields} }}", ADMIN), LimitExceeded)


STATS = "query($r: TimeRange) { deploymentStats(range: $r) { attempts } }"
WRONG_RANGES: list[dict[str, object]] = [
    {"calendar": {"unit": "DAY", "date": "2026-11-01", "offset": -1}},
    {"calendar": {"unit": "DAY", "date": "9999-12-31"}},
    {"between": {"start": "2026-11-02T00:00:00Z", "end": "2026-11-01T00:00:00Z"}},
    {"between": {"start": "1960-11-02T00:00:00Z", "end": "1961-11-01T00:00:00Z"}},
    {"last": "P30Y"},
]


@pytest.mark.parametrize("range", WRONG_RANGES)
async def test_a_wrong_range_is_named_and_told_in_a_sentence(
    platform: Platform, range: dict[str, object]
) -> None:
    error = await platform.refused(STATS, ADA, r=range)
    assert error.path == "range"
    assert error.message.endswith(".")


async def test_field_that_fails_takes_nothing_from_others_that_load_the_same(
    platform: Platform,
) -> None:
    """Its siblings are cancelled, one of them while it waits for what a root field waits for."""
    result = await platform.execute(
        """{
          viewer { projects(first: 1, last: 1) { totalCount } deploymentStats { attempts } }
          deploymentStats { attempts }
        }"""
    )
    assert [error.path for error in result.errors or ()] == [["viewer", "projects"]]
