"""Bearer tokens: read from a request, and verified."""

from dataclasses import dataclass

from starlette.types import Scope

from access.service_tokens import PREFIX, ServiceTokens
from access.tokens import TokenVerifier
from access.viewers import Viewer
from gateway.http.errors import InvalidToken
from storage.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Verifies tokens of both kinds: signed ones (JWT) and stored service tokens."""

    verifier: TokenVerifier
    service_tokens: ServiceTokens

    async def authenticate(self, token: str) -> Viewer:
        """The holder of a token; raises InvalidToken with a reason that may be shown."""
        verifier = self.service_tokens if token.startswith(PREFIX) else self.verifier
        try:
            return await verifier.authenticate(token)
        except Unauthenticated as error:
            raise InvalidToken(error.message) from None


def bearer_token(scope: Scope) -> str | None:
    """The token of the Authorization header, or None; raises InvalidToken if it is malformed."""
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
