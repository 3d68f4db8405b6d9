"""The GraphiQL page, and its files under /graphiql/."""

import os
import secrets
from mimetypes import guess_type

from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from gateway.graphql.answers.delivery import takes_gzip
from gateway.pages import build as bundle

DIST = bundle.FOLDER / "dist"


def page() -> Response:
    """GraphiQL, from our own bundle; it needs no token to be looked at."""
    headers = {"vary": "Accept", "cache-control": "no-store"}
    assets = bundle.assets()
    if assets is None:
        return Response(bundle.MISSING_TEXT, media_type="text/plain", headers=headers)
    nonce = secrets.token_urlsafe(16)
    content = assets.page.replace(bundle.NONCE_PLACE, nonce.encode("ascii"))
    headers["content-security-policy"] = bundle.content_security_policy(nonce)
    return Response(content, media_type="text/html", headers=headers)


class GraphiQLFiles(StaticFiles):
    """They need not exist: a page that was never built has no files either."""

    def __init__(self, folder: os.PathLike[str] = DIST) -> None:
        super().__init__(directory=folder, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # Workers obey the policy of their own file, not the page's.
        response.headers["content-security-policy"] = bundle.content_security_policy()
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
        """The file, or its compressed copy; each has its own size, and so its own ETag."""
        asked, compressed = Headers(scope=scope), f"{full_path}{bundle.COMPRESSED_SUFFIX}"
        if not (os.path.isfile(compressed) and takes_gzip(asked, stat_result.st_size)):
            return super().file_response(full_path, stat_result, scope, status_code)
        response = FileResponse(
            compressed,
            status_code,
            {"content-encoding": "gzip"},
            media_type=guess_type(full_path)[0],
            stat_result=os.stat(compressed),
        )
        if self.is_not_modified(response.headers, asked):
            return NotModifiedResponse(response.headers)
        return response
