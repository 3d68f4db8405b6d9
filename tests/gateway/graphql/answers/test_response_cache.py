"""Whole answers are kept for who may see them, until their data or the clock moves on."""

import tracemalloc
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest
from graphql import GraphQLNamedType, get_named_type, is_object_type

from access.viewers import Permission, Role, Viewer
from gateway.graphql.answers.response_cache import (
    OPEN_FRESH_SECONDS,
    CacheSlot,
    ResponseCache,
    ResponseFreshness,
)
from gateway.graphql.documents.documents import Document, Documents
from gateway.graphql.requests import GraphQLRequest
from schema import schema
from schema.declarations import EVERY_FACT, declarations, declared
from schema.internals import core
from storage.errors import Unavailable
from storage.facts import FACTS
from storage.feed.versions import CATALOGUE_TAGS, Moment, Tags, Versions
from tests.gateway.application import as_role, eventually, running, settings_for

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PROJECTS = {"shop": 7, "blog": 8}
ADA = Viewer("ada", frozenset({Role.VIEWER}), frozenset({"shop"}))
BOB = Viewer("bob", frozenset({Role.VIEWER}), frozenset({"shop"}))
EVE = Viewer("eve", frozenset({Role.VIEWER}), frozenset({"blog"}))
ADMIN = Viewer("root", frozenset({Role.ADMIN}), frozenset())
FIGURES = "query A($p: [String!]) { deploymentStats(filter: {projects: $p}) { attempts } }"


@dataclass
class Counters:
    """Versions that the test sets."""

    version: str = "1"
    is_known: bool = True
    asked: list[Tags] = field(default_factory=list)
    versions: dict[Tags, str] = field(default_factory=dict)

    def move(self) -> None:
        self.version += "+"

    async def of(self, asked: Collection[Tags]) -> Moment:
        if not self.is_known:
            raise Unavailable("The database cannot be reached")
        self.asked += asked
        return Moment({tags: self.versions.get(tags, self.version) for tags in asked}, NOW)


class Projects:
    async def project_ids(self, slugs: Any) -> dict[str, int]:
        return {slug: PROJECTS[slug] for slug in slugs if slug in PROJECTS}


@dataclass
class Kitchen:
    """Kept answers with a clock and a feed of the test's own."""

    counters: Counters = field(default_factory=Counters)
    now: float = 1000.0
    outcomes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        documents = Documents(core(schema))
        self.parse = documents.get
        self.responses = ResponseCache(
            cast("Versions", self.counters),
            Projects(),
            lambda: self.now,
            self.outcomes.append,
        )

    async def place(
        self, viewer: Viewer = ADA, query: str = FIGURES, **variables: Any
    ) -> CacheSlot:
        place = await self.responses.slot(self.parse(query), request(query, variables), viewer)
        assert place is not None
        return place

    def keep(self, place: CacheSlot, body: bytes = b"{}", has_open_range: bool = True) -> None:
        assert place.version is not None
        self.responses.put(place, body, ResponseFreshness(has_open_range=has_open_range))

    def body(self, place: CacheSlot) -> bytes | None:
        kept = self.responses.find(place)
        return None if kept is None else kept.body


def request(query: str, variables: dict[str, Any] | None = None, **more: Any) -> GraphQLRequest:
    return GraphQLRequest(query, None, variables or None, more or None)


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


async def test_kept_answer_is_served_for_the_same_question(kitchen: Kitchen) -> None:
    kitchen.keep(await kitchen.place(p=["shop"]), b"shop")
    assert kitchen.body(await kitchen.place(p=["shop"])) == b"shop"
    assert kitchen.body(await kitchen.place(p=["blog"])) is None
    assert kitchen.outcomes == ["hit", "miss"]


async def test_order_of_variables_is_no_difference(kitchen: Kitchen) -> None:
    query = (
        "query A($a: Boolean!, $b: Boolean!) { measures { measure @skip(if: $a) unit @skip(if: $b)"
    )
    query += " } }"
    first = await kitchen.place(query=query, a=True, b=False)
    assert await kitchen.place(query=query, b=False, a=True) == first
    assert await kitchen.place(query=query, b=True, a=False) != first


async def test_viewers_of_one_scope_share_and_others_do_not(kitchen: Kitchen) -> None:
    place = await kitchen.place(ADA)
    assert await kitchen.place(BOB) == place
    assert await kitchen.place(EVE) != place
    assert await kitchen.place(ADMIN) != place
    other_role = Viewer("ada", frozenset({Role.INGEST}), ADA.project_slugs)
    assert await kitchen.place(other_role) != place


async def test_who_asks_matters_where_the_answer_says_who(kitchen: Kitchen) -> None:
    for query in ("{ viewer { subject } }", "{ ...V } fragment V on Query { viewer { subject } }"):
        assert await kitchen.place(ADA, query) != await kitchen.place(BOB, query)


async def test_changed_data_makes_an_answer_unreachable(kitchen: Kitchen) -> None:
    kitchen.keep(await kitchen.place(), b"old")
    kitchen.counters.version = "2"
    assert kitchen.body(await kitchen.place()) is None


async def test_answer_computed_across_a_change_is_not_served(kitchen: Kitchen) -> None:
    place = await kitchen.place()
    kitchen.counters.version = "2"  # between the look at the version and the end of the computation
    kitchen.keep(place, b"perhaps old")
    assert kitchen.body(await kitchen.place()) is None


async def test_version_is_of_the_facts_the_viewers_projects_and_the_catalogue(
    kitchen: Kitchen,
) -> None:
    everything = '{ node(id: "1") { id } }'
    for viewer, query in ((ADA, FIGURES), (ADMIN, FIGURES), (ADA, everything), (ADMIN, everything)):
        await kitchen.place(viewer, query)
    asked = [tags for tags in kitchen.counters.asked if tags != CATALOGUE_TAGS]
    assert asked == [
        Tags("deployment", (7,)),
        Tags("deployment", None),
        Tags(None, (7,)),
        Tags(None, None),
    ]
    assert kitchen.counters.asked.count(CATALOGUE_TAGS) == 4


@pytest.mark.parametrize(
    ("query", "facts"),
    [
        (FIGURES, {"deployment"}),
        ("{ deployments { nodes { status project { name } } } }", {"deployment"}),
        ('{ deployment(id: "1") { project { environments { name } } } }', None),
        ('{ project(slug: "shop") { latestDeployments { status } } }', {"deployment"}),
        (
            "{ projects { nodes { ...P } } } fragment P on Project { buildStats { attempts } }",
            {"build"},
        ),
        ("{ networks { name } measures { measure } __typename }", set()),
        ('{ project(slug: "shop") { environments { name } } }', None),
        ('{ node(id: "1") { id } }', None),
        ("{ metrics(measures: [DEPLOYMENT_ATTEMPTS]) { groupCount } }", None),
    ],
)
def test_facts_of_an_operation_are_those_of_all_its_fields(
    kitchen: Kitchen, query: str, facts: set[str] | None
) -> None:
    found = kitchen.parse(query).operation(None).measured.facts
    assert found == facts


def test_fields_that_lead_to_another_fact_name_it() -> None:
    checked = 0
    for each in declarations(schema):
        target = fact_of(get_named_type(each.definition.type))
        if target is None or target == fact_of(each.parent) or is_of_no_query(each.parent.name):
            continue
        checked += 1
        assert {target, *EVERY_FACT} & set(each.rules.facts), f"{each.parent}.{each.name}"
    assert checked > len(FACTS)


def is_of_no_query(name: str) -> bool:
    """Whether no kept response has objects of this type."""
    others = ("Mutation", "Subscription", "RunningInvocation")
    return name in others or name.endswith(("Payload", "Change"))


def fact_of(kind: GraphQLNamedType) -> str | None:
    """The fact whose rows an object of this type shows, by the stem that begins its name."""
    facts = [fact for fact in FACTS.values() if kind.name.startswith(fact.stem)]
    longest = max(facts, key=lambda fact: len(fact.stem), default=None)
    return longest.name if longest and is_object_type(kind) else None


async def test_other_facts_leave_an_answer_as_it_is(kitchen: Kitchen) -> None:
    kitchen.keep(await kitchen.place(ADA), b"kept")
    kitchen.counters.versions[Tags("api_call", (7,))] = "2"
    kitchen.counters.versions[Tags(None, (7,))] = "2"
    kitchen.responses.wrote([("shop", "api_call")])
    assert kitchen.body(await kitchen.place(ADA)) == b"kept"
    kitchen.counters.versions[Tags("deployment", (7,))] = "2"
    assert kitchen.body(await kitchen.place(ADA)) is None


async def test_what_this_process_wrote_is_seen_at_once(kitchen: Kitchen) -> None:
    for viewer, slug, fact, seen in (
        (ADA, "shop", "deployment", True),
        (ADA, "blog", "deployment", False),
        (ADA, "shop", "build", False),
        (ADMIN, "blog", "deployment", True),
        (ADMIN, "blog", "build", False),
    ):
        kitchen.keep(await kitchen.place(viewer), b"kept")
        kitchen.responses.wrote([(slug, fact)])
        assert (kitchen.body(await kitchen.place(viewer)) is None) is seen
    for viewer in (ADA, ADMIN):
        kitchen.keep(await kitchen.place(viewer), b"kept")
        kitchen.responses.wrote_anything()
        assert kitchen.body(await kitchen.place(viewer)) is None


async def test_open_ranges_are_kept_for_a_second_and_others_longer(kitchen: Kitchen) -> None:
    moving, fixed = await kitchen.place(p=["shop"]), await kitchen.place(p=["blog"])
    kitchen.keep(moving, b"moving", has_open_range=True)
    kitchen.keep(fixed, b"fixed", has_open_range=False)
    kitchen.now += OPEN_FRESH_SECONDS + 0.01
    assert kitchen.body(moving) is None
    assert kitchen.body(fixed) == b"fixed"
    kitchen.now += 60
    assert kitchen.body(fixed) is None


async def test_small_answers_weigh_what_they_take(kitchen: Kitchen) -> None:
    places = [await kitchen.place(p=[str(number)]) for number in range(2000)]
    tracemalloc.start()
    for place in places:
        kitchen.keep(place, b'{"data":%d}' % len(place.key))
        assert kitchen.responses.find(place) is not None
    taken_bytes, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken_bytes < 1.1 * kitchen.responses._memory._size_bytes


async def test_one_asker_computes_anew_while_others_get_the_older_answer(kitchen: Kitchen) -> None:
    place = await kitchen.place()
    kitchen.keep(place, b"old")
    kitchen.now += OPEN_FRESH_SECONDS + 0.01
    assert kitchen.responses.find(place) is None
    older = kitchen.responses.find(place)
    assert older is not None
    assert (older.stale, older.age_seconds > OPEN_FRESH_SECONDS) == (True, True)
    kitchen.now += OPEN_FRESH_SECONDS + 0.01  # the first asker has failed
    assert kitchen.responses.find(place) is None


async def test_nothing_is_served_while_the_database_is_away(kitchen: Kitchen) -> None:
    kitchen.keep(await kitchen.place(), b"kept")
    kitchen.counters.is_known = False
    place = await kitchen.place()
    assert kitchen.body(place) is None
    kitchen.responses.put(place, b"unversioned", ResponseFreshness(has_open_range=True))
    last = kitchen.responses.last_resort(place)
    assert last is not None
    assert (last.body, last.stale) == (b"kept", True)
    kitchen.now += 3600
    assert kitchen.responses.last_resort(place) is None


@pytest.mark.parametrize("variables", [{"p": ["\ud800"]}, {"p": 2**70}])
async def test_variables_no_key_can_hold_are_not_kept(
    kitchen: Kitchen, variables: dict[str, Any]
) -> None:
    document = kitchen.parse(FIGURES)
    assert await kitchen.responses.slot(document, request(FIGURES, variables), ADA) is None


async def test_requests_with_extensions_are_not_kept(kitchen: Kitchen) -> None:
    asked = request(FIGURES, None, cost=True)
    assert await kitchen.responses.slot(kitchen.parse(FIGURES), asked, ADA) is None


async def test_answers_that_depend_on_the_request_are_not_kept(kitchen: Kitchen) -> None:
    """The DSN in a project's first steps has the host that the client named."""
    for inner in ("firstSteps { dsn }", "firstSteps { dsn } deploymentStats { attempts }"):
        query = f'{{ project(slug: "shop") {{ {inner} }} }}'
        assert await kitchen.responses.slot(kitchen.parse(query), request(query), ADA) is None


def test_root_fields_are_found_through_fragments_and_operations(kitchen: Kitchen) -> None:
    document: Document = kitchen.parse(
        "query A { ... { ...F } } query B { a: measures { measure } }"
        " fragment F on Query { viewer { subject } ...G } fragment G on Query { __typename }"
    )
    roots = {name: operation.roots for name, operation in document.operations.items()}
    assert roots == {"A": {"viewer", "__typename"}, "B": {"measures"}}


def test_every_query_is_kept_but_for_those_of_managers_and_of_what_runs_now() -> None:
    query = core(schema).query_type
    assert query is not None
    rules = {name: declared(field) for name, field in query.fields.items()}
    of_managers = (Permission.MANAGE, Permission.ADMINISTER)
    not_kept = {name for name, rule in rules.items() if not rule.kept}
    of_now = {"runningInvocations", "deploymentVerdict", "errorSpikes", "silences"}
    assert not_kept == of_now | {"unreadAlertEvents"} | {  # of which each viewer reads others
        name for name, rule in rules.items() if rule.needs in of_managers
    }


async def ask(client: httpx.AsyncClient, query: str) -> httpx.Response:
    answer = await client.post("/graphql", json={"query": query})
    assert "errors" not in answer.json()
    return answer


async def test_repeated_answer_is_the_same_bytes_and_says_its_age(
    database_url: str, redis_url: str
) -> None:
    query = '{ projects { nodes { slug } } deploymentStats(range: {last: "P1D"}) { attempts } }'
    headers = as_role(Role.VIEWER, projects=("kept-answers",))
    async with running(settings_for(database_url, redis_url), None, **headers) as client:

        async def is_hit() -> bool:
            return (await ask(client, query)).headers["cache-status"].endswith("; hit")

        await eventually(is_hit)
        first, second = await ask(client, query), await ask(client, query)
        assert first.content == second.content
        assert second.headers["age"] == "0"
        metrics = (await client.get("/metrics")).text
        assert 'gateway_response_cache_lookups_total{outcome="hit"}' in metrics


async def test_renamed_project_shows_at_once_here_and_soon_elsewhere(
    database_url: str, redis_url: str
) -> None:
    query = '{ project(slug: "renamed") { name } }'
    rename = 'mutation { upsertProject(input: {slug: "renamed", name: "%s"}) { project { id } } }'
    settings, headers = settings_for(database_url, redis_url), as_role(Role.ADMIN)
    async with (
        running(settings, None, **headers) as here,
        running(settings, None, **headers) as there,
    ):
        await ask(here, rename % "Before")
        for client in (here, there):
            await ask(client, query)
        await ask(here, rename % "After")
        assert (await ask(here, query)).json()["data"]["project"]["name"] == "After"

        async def has_changed() -> bool:
            name: str = (await ask(there, query)).json()["data"]["project"]["name"]
            return name == "After"

        await eventually(has_changed, seconds=2.0)


async def test_nothing_is_kept_where_caching_is_off(database_url: str, redis_url: str) -> None:
    settings = settings_for(database_url, redis_url, analytics_cache_ttl=0)
    async with running(settings, None, **as_role(Role.ADMIN)) as client:
        for _ in range(3):
            assert "cache-status" not in (await ask(client, "{ measures { measure } }")).headers
