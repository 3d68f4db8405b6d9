"""Turns a bearer token into the request's viewer; a token that is not believed ends the request."""

from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from access.service_tokens import PREFIX, ServiceTokens
from access.tokens import TokenVerifier
from access.viewers import Viewer
from gateway.http.errors import InvalidToken
from gateway.http.requests import state_of
from storage.errors import Unauthenticated

# These tell nothing about anybody, so they do not look at tokens at all.
OPEN_PATHS = frozenset({"/health", "/ready", "/live", "/metrics"})
OPEN_FOLDERS = ("/graphiql/",)


@dataclass(frozen=True, slots=True)
class Authentication:
    """Without a token there is no viewer: the endpoints that need one refuse by themselves."""

    app: ASGIApp
    verifier: TokenVerifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = scope["type"] == "http" and not _is_open(scope["path"])
        if is_asked and (token := bearer(scope)):
            viewer = await authenticate(scope["app"], self.verifier, token)
            state_of(scope)["viewer"] = viewer
            state_of(scope).setdefault("log", {})["subject"] = viewer.subject
        await self.app(scope, receive, send)


async def authenticate(app: Starlette, verifier: TokenVerifier, token: str) -> Viewer:
    """The holder of a token of either kind; raises InvalidToken with a reason to be told."""
    service_tokens: ServiceTokens | None = getattr(app.state, "service_tokens", None)
    try:
        if token.startswith(PREFIX) and service_tokens is not None:
            return await service_tokens.authenticate(token)
        return await verifier.authenticate(token)
    except Unauthenticated as error:
        raise InvalidToken(error.message) from None


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


def bearer(scope: Scope) -> str | None:
    """The token a request came with, if with any; raises InvalidToken for what is none."""
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if not values:
        return None
    if len(values) > 1:
        raise InvalidToken("Send one Authorization header.")
    text: str = values[0].decode("latin-1")
    scheme, _, token = text.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken("Send the token as `Authorization: Bearer <token>`.")
    return token.strip()
