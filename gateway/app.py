"""The HTTP application: its routes and its middleware, each in one list."""

from starlette.middleware import Middleware

from access.tokens import TokenVerifier
from gateway.middleware.authentication import Authentication
from gateway.middleware.body_limits import BodyLimits
from gateway.middleware.failures import Failures
from gateway.middleware.observation import Observation
from gateway.middleware.request_id import RequestId
from gateway.middleware.security_headers import SecurityHeaders
from gateway.telemetry import Telemetry


def middleware(telemetry: Telemetry, verifier: TokenVerifier) -> list[Middleware]:
    """From the outside in."""
    return [
        Middleware(RequestId),
        Middleware(Observation, on_request=telemetry.on_request),
        Middleware(SecurityHeaders),
        Middleware(Failures),
        Middleware(Authentication, verifier=verifier),
        Middleware(BodyLimits),
    ]
