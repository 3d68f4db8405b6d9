"""docs/security.md says the numbers of the code."""

import re
from pathlib import Path

from gateway.config import credentials
from gateway.config.settings import Settings
from gateway.graphql.live import operations, topics
from gateway.http import connections
from gateway.http.edge_route import EdgeRoute
from gateway.middleware import cross_origin, security_headers
from gateway.processes import server
from gateway.routes import API_ROUTES
from gateway.services import Gateway

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def route(path: str) -> EdgeRoute[Gateway]:
    return next(route for route in API_ROUTES if route.path == path)


def numbers() -> list[int]:
    rows = re.findall(r"^\| .+ \| ([\d,]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [int(number.replace(",", "")) for number in rows]


def test_numbers_of_the_edge_are_those_of_the_code() -> None:
    assert connections.CHECK_SECONDS < connections.CLIENT_TIMEOUT_SECONDS < 60
    assert numbers() == [
        connections.CLIENT_TIMEOUT_SECONDS,
        connections.HEAD_BYTES,
        route("/graphql").body_bytes,
        route("/v1/events").body_bytes,
        route("/api/{project}/envelope/").body_bytes,
        route("/v1/projects/{slug}/releases/{release:path}/source-maps").body_bytes,
        route("/health").body_bytes,
        connections.MAX_CONNECTIONS,
        Settings.model_fields["connections_per_address"].default,
        operations.MAX_CONNECTIONS,
        topics.MAX_TOPICS,
        server.KEEP_ALIVE_SECONDS,
        cross_origin.MAX_AGE_SECONDS,
        int(security_headers.HTTPS_ONLY[1].partition(b"=")[2]),
        credentials.MIN_SECRET_BYTES,
    ]
