"""Serves the dashboard, of which GraphiQL is a page, and its files under /pages/."""

import os
from dataclasses import dataclass
from mimetypes import guess_type

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from gateway.config.settings import Settings
from gateway.http.delivery import takes_gzip
from gateway.pages import build

PARTS_PLACE = b"SERVED-PARTS"  # in a meta element of the page
MISSING_TEXT = (
    "This page has not been built. The API works without it: send a POST to /graphql. "
    "To build the pages, run: python -m gateway.pages.build\n"
)


# A page and what it starts may load the gateway's own files only, and nothing inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Pages:
    """The one document whose script draws every page, and which parts of it are served."""

    dashboard: bool
    graphiql: bool

    @classmethod
    def of(cls, settings: Settings) -> "Pages":
        is_demo = settings.environment == "demo"
        graphiql = is_demo if settings.graphiql == "auto" else settings.graphiql == "on"
        return cls(settings.dashboard, graphiql)

    def respond(self) -> Response:
        """Respond with the document, or with a text that says how to build it; needs no token."""
        headers = {"cache-control": "no-store"}
        try:
            content = (build.DIST / "dashboard" / "index.html").read_bytes()
        except FileNotFoundError:
            return Response(MISSING_TEXT, media_type="text/plain", headers=headers)
        headers["content-security-policy"] = POLICY
        parts = {"dashboard": self.dashboard, "graphiql": self.graphiql}
        served = " ".join(name for name, is_served in parts.items() if is_served)
        content = content.replace(PARTS_PLACE, served.encode("ascii"))
        return Response(content, media_type="text/html", headers=headers)


class PageFiles(StaticFiles):
    """The built files: compressed where the client accepts it, with an ETag for each encoding."""

    def __init__(self) -> None:
        super().__init__(directory=build.DIST, check_dir=False)

    async def check_config(self) -> None:
        """Accept a missing folder: the pages may be built later."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # A worker obeys the policy of its own file, not the page's.
        response.headers["content-security-policy"] = POLICY
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
