"""The GraphiQL page, and its files under /graphiql/."""

import os
import secrets

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.graphql import bundle

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
        return response
