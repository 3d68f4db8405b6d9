"""A demo signs its own page in by itself; nobody else gets a token by asking."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import httpx
import pytest

from gateway.app import create_app
from gateway.config.settings import Settings
from gateway.pages.demo_sign_in import DemoSignIn
from tests.gateway.graphql.edge import client_of, small_gateway

OWN_PAGE = {"host": "localhost:8000", "sec-fetch-site": "same-origin"}


def settings(folder: Path, environment: Literal["demo", "production"] = "demo") -> Settings:
    return Settings(environment=environment, jwt_secret="0123456789abcdef" * 4, data_dir=folder)


async def asked(settings: Settings, headers: dict[str, str]) -> httpx.Response:
    app = create_app(replace(small_gateway(), demo=DemoSignIn.of(settings)))
    async with client_of(app) as client:
        return await client.get("/demo-token", headers=headers)


async def test_own_page_gets_a_token_that_no_cache_keeps(tmp_path: Path) -> None:
    response = await asked(settings(tmp_path), OWN_PAGE)
    assert response.json()["token"].count(".") == 2
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": ""},
        {"host": "rebound.example.com"},
        {"x-forwarded-for": "203.0.113.7"},
        {"forwarded": "for=203.0.113.7"},
    ],
)
async def test_others_get_none(tmp_path: Path, headers: dict[str, str]) -> None:
    response = await asked(settings(tmp_path), OWN_PAGE | headers)
    assert (response.status_code, response.json()) == (200, {"token": None})


async def test_production_has_none(tmp_path: Path) -> None:
    response = await asked(settings(tmp_path, "production"), OWN_PAGE)
    assert response.json() == {"token": None}


async def test_a_browser_on_another_machine_gets_none(tmp_path: Path) -> None:
    app = create_app(replace(small_gateway(), demo=DemoSignIn.of(settings(tmp_path))))
    transport = httpx.ASGITransport(app, client=("192.0.2.7", 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.get("/demo-token", headers=OWN_PAGE)
    assert response.json() == {"token": None}
