"""Certificates of domains: what was sent, and which of them expire."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.schema.conftest import opened
from tests.schema.platform import ADA, ADMIN, NOW, RIVAL, TODAY, Platform
from tests.servers import Databases

# Project, name, domain, types of events an hour apart, days from now to its expiry.
CERTIFICATES = [
    ("shop", "a-1", "a.example.com", ["issued"], 5),
    ("shop", "a-2", "a.example.com", ["requested", "renewed"], 80),
    ("shop", "b-1", "b.example.com", ["issued"], 10),
    ("shop", "b-2", "b.example.com", ["requested", "failed"], None),
    ("shop", "c-1", "c.example.com", ["renewed"], 12),
    ("shop", "c-2", "c.example.com", ["renewed", "removed"], 90),
    ("shop", "d-1", "D.example.com", ["issued"], -3),
    ("shop", "e-1", "e.example.com", ["issued", "removed"], 2),
    ("shop", "f-1", "f.example.com", ["requested"], None),
    ("blog", "g-1", "a.example.com", ["issued"], 1),
    ("rival", "a-3", "a.example.com", ["issued"], 7),
    ("rival", "a-4", "b.example.com", ["renewed"], 95),
]


def events() -> Iterator[dict[str, Any]]:
    for day, (project, name, domain, types, left) in enumerate(CERTIFICATES):
        for hour, type_ in enumerate(types):
            at = TODAY - timedelta(days=20 - day, hours=-hour)
            known = left is not None and type_ in ("issued", "renewed")
            yield {
                "id": f"{name}-{type_}",
                "type": f"certificate.{type_}",
                "time": at.isoformat(),
                "project": project,
                "certificate": name,
                "domain": domain,
                "issuer": "ACME" if known else None,
                "environment": "production",
                "validFrom": at.isoformat() if known else None,
                "expiresAt": (NOW + timedelta(days=left or 0)).isoformat() if known else None,
                "error": "no such record" if type_ == "failed" else None,
            }


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module")
async def platform(url: str) -> AsyncIterator[Platform]:
    """One of this module's own, with certificates of two tenants."""
    async with opened(url) as platform:
        for result in await platform.services.intake.record(list(events()), ADMIN):
            assert result.status == "accepted", result
        yield platform


async def test_certificates_are_recorded_and_listed(platform: Platform) -> None:
    document = """{ certificates(first: 4, filter: {projects: ["shop"]}) { totalCount nodes {
        externalId status domain issuer error notAfter daysToExpiry durationMs
        environment { name } project { slug } statusEvents { type status error } } } }"""
    found = (await platform.ask(document, ADA))["certificates"]
    assert found["totalCount"] == 9
    waiting, removed, expired, _ = found["nodes"]
    assert (waiting["externalId"], waiting["status"], waiting["daysToExpiry"]) == (
        "f-1",
        "REQUESTED",
        None,
    )
    assert [each["type"] for each in removed["statusEvents"]] == ["REMOVED", "ISSUED"]
    assert expired == {
        "externalId": "d-1",
        "status": "ISSUED",
        "domain": "d.example.com",
        "issuer": "ACME",
        "error": None,
        "notAfter": (NOW - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "daysToExpiry": -3,
        "durationMs": None,
        "environment": {"name": "production"},
        "project": {"slug": "shop"},
        "statusEvents": [{"type": "ISSUED", "status": "ISSUED", "error": None}],
    }


EXPIRING = """query($before: DateTime!, $filter: CertificateFilter, $first: Int, $after: String,
    $orderBy: CertificateOrder) {
  certificates(expiresBefore: $before, filter: $filter, first: $first, after: $after,
      orderBy: $orderBy) {
    totalCount nodes { externalId } pageInfo { hasNextPage endCursor } } }"""


async def expiring(platform: Platform, days: int, **asked: Any) -> list[str]:
    viewer = asked.pop("viewer", ADA)
    before = (NOW + timedelta(days=days)).isoformat()
    found = (await platform.ask(EXPIRING, viewer, before=before, **asked))["certificates"]
    names = [node["externalId"] for node in found["nodes"]]
    assert found["totalCount"] == len(names) or asked.get("first")
    return names


async def test_those_in_force_are_listed_soonest_first(platform: Platform) -> None:
    """A renewal takes the place of a-1; of c none is in force, as its latest was removed."""
    assert await expiring(platform, 14) == ["d-1", "g-1", "b-1"]
    assert await expiring(platform, 100) == ["d-1", "g-1", "b-1", "a-2"]
    assert await expiring(platform, -4) == []
    of_domain = {"domains": ["b.example.com"]}
    assert await expiring(platform, 14, filter=of_domain) == ["b-1"]
    assert await expiring(platform, 14, filter={"projects": ["blog"]}) == ["g-1"]
    latest_first = {"field": "EXPIRES_AT", "direction": "DESC"}
    assert await expiring(platform, 14, orderBy=latest_first) == ["b-1", "g-1", "d-1"]


async def test_those_in_force_come_in_pages(platform: Platform) -> None:
    before, names, after = (NOW + timedelta(days=100)).isoformat(), [], None
    while True:
        page = (await platform.ask(EXPIRING, ADA, before=before, first=2, after=after))[
            "certificates"
        ]
        names += [node["externalId"] for node in page["nodes"]]
        assert page["totalCount"] == 4
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert names == ["d-1", "g-1", "b-1", "a-2"]


async def test_certificates_of_others_neither_show_nor_replace(platform: Platform) -> None:
    assert await expiring(platform, 14, viewer=RIVAL) == ["a-3"]
    everything = await expiring(platform, 14, viewer=ADMIN)
    assert everything == ["d-1", "g-1", "a-3", "b-1"]


async def test_each_environment_has_a_certificate_of_a_domain(platform: Platform) -> None:
    """What is issued for one environment takes no place in another, or without one."""
    issued = [("s-1", "staging", 200), ("p-1", "production", 290), ("n-1", None, 210)]
    sent = [
        {
            "id": name,
            "type": "certificate.issued",
            "time": (NOW - timedelta(hours=9 - hour)).isoformat(),
            "project": "apart",
            "certificate": name,
            "domain": "apart.example.com",
            "environment": environment,
            "expiresAt": (NOW + timedelta(days=left)).isoformat(),
        }
        for hour, (name, environment, left) in enumerate([*issued, ("n-2", None, 295)])
    ]
    for result in await platform.services.intake.record(sent, ADMIN):
        assert result.status == "accepted", result
    asked: dict[str, Any] = {"viewer": ADMIN, "filter": {"projects": ["apart"]}}
    assert await expiring(platform, 300, **asked) == ["s-1", "p-1", "n-2"]
    asked["filter"]["environments"] = ["staging"]
    assert await expiring(platform, 300, **asked) == ["s-1"]


async def test_certificates_are_counted(platform: Platform) -> None:
    document = """{ certificateStats(range: {last: "P60D"}, filter: {projects: ["shop"]}) {
        attempts requested issued renewed failed removed successRate failureRate
        byStatus { status count } byIssuer { name attempts } } }"""
    found = (await platform.ask(document, ADA))["certificateStats"]
    counts = {"requested": 1, "issued": 3, "renewed": 2, "failed": 1, "removed": 2}
    assert found | {"byStatus": 0, "byIssuer": 0} == {
        "attempts": 9,
        **counts,
        "successRate": pytest.approx(7 / 8),
        "failureRate": pytest.approx(1 / 8),
        "byStatus": 0,
        "byIssuer": 0,
    }
    assert {each["status"].lower(): each["count"] for each in found["byStatus"]} == counts
    assert {each["name"]: each["attempts"] for each in found["byIssuer"]} == {"ACME": 7, None: 2}


async def test_nodes_of_several_kinds_are_read_together(platform: Platform) -> None:
    """What is selected of one kind need not be a part of another."""
    (node,) = (await platform.ask("{ certificates(first: 1) { nodes { id } } }", ADA))[
        "certificates"
    ]["nodes"]
    document = """query($ids: [ID!]!) { nodes(ids: $ids) {
        ... on Certificate { domain project { slug } environment { name } }
        ... on Deployment { template { slug description } network { name } rolledBackTo { id } }
        ... on Build { framework deployment { id } } } }"""
    found = await platform.ask(document, ADA, ids=[node["id"]])
    assert found["nodes"][0]["domain"] == "a.example.com"
    again = "query($id: ID!) { certificate(id: $id) { domain } }"
    assert (await platform.ask(again, RIVAL, id=node["id"]))["certificate"] is None


async def test_a_recorded_certificate_is_in_the_payload(platform: Platform) -> None:
    document = """mutation($input: CertificateEventInput!) { recordCertificate(input: $input) {
        certificate { domain status notAfter } userErrors { code } } }"""
    event = {
        "type": "ISSUED",
        "project": "shop",
        "certificate": "h-1",
        "domain": "h.example.com",
        "notAfter": "2031-01-01T00:00:00Z",
    }
    found = (await platform.ask(document, ADMIN, input=event))["recordCertificate"]
    assert found == {
        "certificate": {
            "domain": "h.example.com",
            "status": "ISSUED",
            "notAfter": "2031-01-01T00:00:00Z",
        },
        "userErrors": [],
    }
