"""Serves the GraphiQL page, and the files of all pages under /graphiql/."""

import os
import secrets
from mimetypes import guess_type

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from gateway.http.delivery import takes_gzip
from gateway.pages import build

NONCE_PLACE = b"STYLE-NONCE"  # the page takes its nonce from here
MISSING_TEXT = (
    "The GraphiQL page has not been built. The API works without it: send a POST to /graphql. "
    "To build the page, run: python -m gateway.pages.build\n"
)


def page() -> Response:
    """Respond with the GraphiQL page, or with a text that says how to build it; needs no token."""
    headers = {"vary": "Accept", "cache-control": "no-store"}
    try:
        content = (build.DIST / "graphiql" / "index.html").read_bytes()
    except FileNotFoundError:
        return Response(MISSING_TEXT, media_type="text/plain", headers=headers)
    nonce = secrets.token_urlsafe(16)
    styles = f"'self' 'nonce-{nonce}'"  # a dialog adds a style sheet
    headers["content-security-policy"] = content_security_policy(styles)
    content = content.replace(NONCE_PLACE, nonce.encode("ascii"))
    return Response(content, media_type="text/html", headers=headers)


def content_security_policy(styles: str = "'self'") -> str:
    """The policy that allows a page its own files only; `styles` are sources of style sheets."""
    return (
        f"default-src 'none'; script-src 'self'; style-src {styles}; font-src 'self' data:; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


class GraphiQLFiles(StaticFiles):
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
