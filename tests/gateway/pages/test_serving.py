"""The pages as the gateway serves them: files, policies, and a machine that never built them."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.config.settings import Settings
from gateway.pages import build, serving
from gateway.routes import DASHBOARD_PATHS
from tests.gateway.graphql.edge import SECRET, client_of, small_gateway

PAGE = '<!doctype html><script src="/pages/assets/app-1a2b.js" title="SERVED-PARTS"></script>'
LARGE = "export const answer = 42;\n" * 100
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def app() -> Starlette:
    return create_app(small_gateway())


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "dashboard").mkdir()
    (tmp_path / "dashboard" / "index.html").write_text(PAGE)
    (assets / "app-1a2b.js").write_text("export {};")
    (assets / "large-3c4d.js").write_text(LARGE)
    (assets / "large-3c4d.js.gz").write_bytes(gzip.compress(LARGE.encode()))
    monkeypatch.setattr(build, "DIST", tmp_path)


async def test_page_and_its_files_are_open_and_run_only_their_own_scripts(built: None) -> None:
    async with client_of(app()) as client:
        page = await client.get("/graphql", headers=BROWSER)
        (path,) = re.findall(r'src="([^"]+)"', page.text)
        script = await client.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (script.status_code, script.text) == (200, "export {};")
    assert "immutable" in script.headers["cache-control"]
    for response in (page, script):
        assert "script-src 'self'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"


async def test_files_are_compressed_for_clients_that_accept_it(built: None) -> None:
    path = "/pages/assets/large-3c4d.js"
    async with client_of(app()) as client:
        packed = await client.get(path, headers={"accept-encoding": "br;q=1, gzip;q=0.5"})
        plain = await client.get(path, headers={"accept-encoding": "gzip;q=0"})
        worse = await client.get(path, headers={"accept-encoding": "gzip;q=0.2, identity;q=0.9"})
        small = await client.get("/pages/assets/app-1a2b.js")
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(LARGE) / 2
    for response in (plain, worse, small):
        assert "content-encoding" not in response.headers
    assert packed.text == plain.text == worse.text == LARGE
    assert packed.headers["content-type"] == plain.headers["content-type"]
    for response in (packed, plain):
        assert response.headers["vary"] == "Accept-Encoding"
        assert "immutable" in response.headers["cache-control"]


async def test_each_encoding_of_a_file_has_its_own_tag(built: None) -> None:
    path, plain = "/pages/assets/large-3c4d.js", {"accept-encoding": "identity"}
    async with client_of(app()) as client:
        tags = [
            (await client.get(path)).headers["etag"],
            (await client.get(path, headers=plain)).headers["etag"],
        ]
        kept = await client.get(path, headers={"if-none-match": tags[0]})
        other = await client.get(path, headers={"if-none-match": tags[1]})
    assert tags[0] != tags[1]
    assert (kept.status_code, other.status_code) == (304, 200)
    assert kept.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({}, "dashboard"),
        ({"graphiql": "on", "dashboard": False}, "graphiql"),
        ({"environment": "demo"}, "dashboard graphiql"),
        ({"environment": "demo", "graphiql": "off"}, "dashboard"),
    ],
)
def test_page_says_which_parts_are_served(
    built: None, settings: dict[str, Any], parts: str
) -> None:
    page = serving.Pages.of(Settings(jwt_secret=SECRET, **settings)).respond()
    assert f'title="{parts}"' in bytes(page.body).decode()


def test_every_page_of_the_dashboard_has_a_route() -> None:
    pages = build.WORKSPACE / "src" / "dashboard" / "pages" / "pages.ts"
    listed = re.findall(r'path: "([^"]+)"', pages.read_text(encoding="utf-8"))
    # /alerts/:id serves /alerts/new; GraphiQL is a part of its own.
    served = [re.sub(r"{[^}]+}", ":id", path) for path in DASHBOARD_PATHS]
    assert {*listed} - {"/alerts/new", "/graphql"} == {*served}


@pytest.mark.parametrize("path", ["/", "/deployments", "/errors/one%3Atwo", "/graphql?range=7d"])
async def test_each_page_has_a_path_and_a_strict_policy(built: None, path: str) -> None:
    async with client_of(app()) as client:
        page = await client.get(path, headers=BROWSER)
        other = await client.get("/nowhere", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert "style-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "unsafe" not in policy
    assert "nonce" not in policy
    assert other.status_code == 404


async def test_page_that_was_never_built_says_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "DIST", tmp_path / "nowhere")
    async with client_of(app()) as client:
        response = await client.get("/graphql", headers=BROWSER)
        file = await client.get("/pages/assets/app-1a2b.js")
    assert (response.status_code, response.text) == (200, serving.MISSING_TEXT)
    assert "python -m gateway.pages.build" in response.text
    assert file.status_code == 404


@pytest.mark.parametrize("path", ["/graphiql/", "/graphiql"])
async def test_neighbouring_addresses_lead_to_the_page(path: str) -> None:
    async with client_of(app()) as client:
        response = await client.get(path, headers=BROWSER, follow_redirects=True)
        posted = await client.post(path, json={"query": "{hello}"})
    assert response.url.path == "/graphql"
    assert (posted.status_code, posted.headers["location"]) == (307, "/graphql")


@pytest.mark.parametrize("path", ["/pages/../app.py", "/pages/%2e%2e/build.py"])
async def test_nothing_outside_the_folder_is_served(built: None, path: str) -> None:
    async with client_of(app()) as client:
        assert (await client.get(path)).status_code == 404
