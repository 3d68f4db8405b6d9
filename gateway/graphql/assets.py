"""The files of the GraphiQL page, under /graphiql/."""

import os

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.graphql import bundle

DIST = bundle.FOLDER / "dist"


class GraphiQLFiles(StaticFiles):
    """They need not exist: a page that was never built has no files either."""

    def __init__(self, folder: os.PathLike[str] = DIST) -> None:
        super().__init__(directory=folder, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # Workers obey the policy of their own file, not the page's.
        response.headers["content-security-policy"] = bundle.CONTENT_SECURITY_POLICY
        if path.startswith("assets" + os.sep):  # their names hold a hash of their content
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response
