"""docs/security.md says the numbers of the code."""

import re
from pathlib import Path

from gateway.config import credentials
from gateway.config.settings import Settings
from gateway.graphql.live import places, topics
from gateway.http import connections
from gateway.middleware import body_limits, cross_origin, security_headers
from gateway.processes import server

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


def numbers() -> list[int]:
    rows = re.findall(r"^\| .+ \| ([\d,]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [int(number.replace(",", "")) for number in rows]


def test_numbers_of_the_edge_are_those_of_the_code() -> None:
    assert connections.CHECK_SECONDS < connections.CLIENT_TIMEOUT_SECONDS < 60
    assert numbers() == [
        connections.CLIENT_TIMEOUT_SECONDS,
        connections.HEAD_BYTES,
        body_limits.BODY_BYTES["/graphql"],
        body_limits.BODY_BYTES["/v1/events"],
        body_limits.OTHER_BODY_BYTES,
        connections.CONNECTIONS,
        Settings.model_fields["connections_per_address"].default,
        places.CONNECTIONS_AT_MOST,
        topics.TOPICS_AT_MOST,
        server.KEEP_ALIVE_SECONDS,
        cross_origin.MAX_AGE_SECONDS,
        int(security_headers.HTTPS_ONLY[1].partition(b"=")[2]),
        credentials.MIN_SECRET_BYTES,
    ]
