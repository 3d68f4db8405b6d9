"""Serves the dashboard and the GraphiQL page, and the files of both under /pages/."""

import os
import secrets
from collections.abc import Mapping
from mimetypes import guess_type

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from gateway.http.delivery import takes_gzip
from gateway.pages import build

# What a page says of itself, in its meta elements.
NONCE_PLACE = b"STYLE-NONCE"
DASHBOARD_PLACE = b"WITH-DASHBOARD"
MISSING_TEXT = (
    "This page has not been built. The API works without it: send a POST to /graphql. "
    "To build the pages, run: python -m gateway.pages.build\n"
)


def graphiql_page(has_dashboard: bool) -> Response:
    """Respond with the GraphiQL page, or with a text that says how to build it; needs no token.

    Where the gateway serves the dashboard, the page has its menu.
    """
    nonce = secrets.token_urlsafe(16)  # a dialog adds a style sheet
    values = {NONCE_PLACE: nonce.encode("ascii"), DASHBOARD_PLACE: b"yes" if has_dashboard else b""}
    response = _page("graphiql", f"'self' 'nonce-{nonce}'", values)
    response.headers["vary"] = "Accept"
    return response


def dashboard_page() -> Response:
    """Respond with the dashboard, or with a text that says how to build it; needs no token."""
    return _page("dashboard", "'self'", {})


def _page(name: str, styles: str, values: Mapping[bytes, bytes]) -> Response:
    headers = {"cache-control": "no-store"}
    try:
        content = (build.DIST / name / "index.html").read_bytes()
    except FileNotFoundError:
        return Response(MISSING_TEXT, media_type="text/plain", headers=headers)
    headers["content-security-policy"] = content_security_policy(styles)
    for place, value in values.items():
        content = content.replace(place, value)
    return Response(content, media_type="text/html", headers=headers)


def content_security_policy(styles: str = "'self'") -> str:
    """The policy that allows a page its own files only; `styles` are sources of style sheets."""
    return (
        f"default-src 'none'; script-src 'self'; style-src {styles}; font-src 'self' data:; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


class PageFiles(StaticFiles):
    """The built files: compressed where the client accepts it, with an ETag for each encoding."""

    def __init__(self) -> None:
        super().__init__(directory=build.DIST, check_dir=False)

    async def check_config(self) -> None:
        """Accept a missing folder: the pages may be built later."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # A worker obeys the policy of its own file, not the page's.
        response.headers["content-security-policy"] = content_security_policy()
        if path.startswith("assets" + os.sep):  # their names hold a hash of their content
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        response.headers["vary"] = "Accept-Encoding"
        return response

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Respond with the file or its compressed copy, which the build puts beside it."""
        request, compressed = Headers(scope=scope), f"{full_path}.gz"
        if not (os.path.isfile(compressed) and takes_gzip(request, stat_result.st_size)):
            return super().file_response(full_path, stat_result, scope, status_code)
        response = FileResponse(
            compressed,
            status_code,
            {"content-encoding": "gzip"},
            media_type=guess_type(full_path)[0],
            stat_result=os.stat(compressed),
        )
        if self.is_not_modified(response.headers, request):
            return NotModifiedResponse(response.headers)
        return response
