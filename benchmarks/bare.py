"""The floor of serving: a bare ASGI application that answers a POST with the bytes of a file.

Run by the benchmark as `python -m benchmarks.bare PORT FILE MEDIA_TYPE`, under the gateway's own
kind of server.
"""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def main() -> None:
    port, body, media_type = int(sys.argv[1]), Path(sys.argv[2]).read_bytes(), sys.argv[3]

    async def answer(request: Request) -> Response:
        await request.body()
        return Response(body, media_type=media_type)

    async def ready(_request: Request) -> Response:
        return Response(b"")

    routes = [
        Route("/graphql", answer, methods=["POST"]),
        Route("/ready", ready, methods=["GET"]),
    ]
    uvicorn.run(
        Starlette(routes=routes), port=port, http="httptools", access_log=False, log_level="error"
    )


if __name__ == "__main__":
    main()
